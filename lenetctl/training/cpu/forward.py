"""A net's forward pass with its convolutions and pools in C++."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, pad

from lenetctl.specs.schema import Spec
from lenetctl.training.cpu.compiler import compiled_library
from lenetctl.training.cpu.layers import ActivatedPool, Convolution
from lenetctl.training.cpu.program import ACTIVATIONS, POOLS
from lenetctl.training.objective.loss import LOSSES
from lenetctl.training.optimizers import OPTIMIZERS
from lenetctl.training.support import ELEMENTWISE, Support, unsupported

Layer = Callable[[Tensor], Tensor]

SUPPORT: Support = {
    "layer": {"conv", "norm", "activation", "pool", "flatten", "dropout", "dense"},
    "kernel": {"square"},
    "padding_value": {"0"},
    "unit_bias": {"false"},
    "connections": {"complete"},
    "norm": {"batch"},
    "activation": ELEMENTWISE,
    "pool.kind": {"avg", "max"},
    "optimizer.kind": OPTIMIZERS,
    "loss": LOSSES,
    "devices": {"1", "above 1"},
    "precision": {"fp32", "tf32"},
}


def compiled_refusal(spec: Spec, device: torch.device) -> str:
    """Return why `compiled_forward` cannot do the nets of `spec` on `device`, or nothing."""
    if device.type != "cpu":
        return f"its layers are for a CPU, the device is {device}"
    if not spec.model.conv:
        return "there is no convolution to compile"
    return unsupported(spec, SUPPORT)


def compiled_forward(net: nn.Sequential) -> Callable[[Tensor], Tensor]:
    """Return what maps images (B, 1, 28, 28) to the logits (B, 10) of `net`, on a CPU, in float32.

    Gradients reach the net's own parameters. Values are those of `net` within float tolerance.
    Where batch norm would take the statistics of a batch that does not fill its last block, `net`
    itself is used.

    Raises:
        UsageError: there is no C++ compiler, or it cannot compile the layers.

    """
    lanes = int(compiled_library().lanes())
    modules = list(net)
    flatten = next(i for i, module in enumerate(modules) if isinstance(module, nn.Flatten))
    on_blocks, behind = _on_blocks(modules[:flatten]), modules[flatten + 1 :]
    normed = any(isinstance(module, nn.BatchNorm2d) for module in modules)

    def logits(images: Tensor) -> Tensor:
        count, missing = len(images), -len(images) % lanes
        if missing and normed and net.training:
            return net(images)  # type: ignore[no-any-return]
        if missing:
            images = pad(images, (0, 0, 0, 0, 0, 0, 0, missing))
        x = images.reshape(-1, lanes, *images.shape[1:]).permute(0, 2, 3, 4, 1).contiguous()
        for layer in on_blocks:
            x = layer(x)
        x = x.permute(0, 4, 1, 2, 3).reshape(count + missing, -1)[:count]  # (B, features)
        for module in behind:
            x = module(x)
        return x

    return logits


def _on_blocks(modules: Sequence[nn.Module]) -> list[Layer]:
    """Return the layers in front of the flatten layer, for block tensors."""
    layers: list[Layer] = []
    activation: nn.Module = nn.Identity()  # which the next pool does
    for module, following in zip(modules, (*modules[1:], None), strict=True):
        if type(module) in ACTIVATIONS and isinstance(following, nn.AvgPool2d | nn.MaxPool2d):
            activation = module
        elif isinstance(module, nn.Conv2d):
            layers.append(_convolution(module))
        elif isinstance(module, nn.AvgPool2d | nn.MaxPool2d):
            layers.append(_pool(activation, module))
            activation = nn.Identity()
        elif isinstance(module, nn.BatchNorm2d):
            layers.append(_norm(module))
        else:  # an elementwise activation: `compiled_refusal` lets nothing else in
            layers.append(module)
    return layers


def _convolution(conv: nn.Conv2d) -> Layer:
    stride, padding = conv.stride[0], conv.padding[0]
    return lambda x: Convolution.apply(x, conv.weight, conv.bias, stride, padding)


def _pool(activation: nn.Module, pool: nn.AvgPool2d | nn.MaxPool2d) -> Layer:
    kinds = ACTIVATIONS.index(type(activation)), POOLS.index(type(pool))
    arguments = (*kinds, pool.kernel_size, pool.stride, pool.padding)
    return lambda x: ActivatedPool.apply(x, *arguments)


def _norm(norm: nn.BatchNorm2d) -> Layer:
    def layer(x: Tensor) -> Tensor:
        mean, var, count = norm.running_mean, norm.running_var, norm.num_batches_tracked
        assert mean is not None and var is not None  # noqa: S101, PT018
        assert count is not None and norm.momentum is not None  # noqa: S101, PT018
        count += norm.training
        # (B / lanes, C, H · W · lanes), because of a single block of 1×1 maps with a height and a
        # width torch mistakes the memory format of some gradients
        flat = batch_norm(
            x.flatten(2), mean, var, norm.weight, norm.bias, norm.training, norm.momentum, norm.eps
        )
        return flat.view_as(x)

    return layer
