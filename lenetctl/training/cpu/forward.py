"""A net's forward pass with its convolutions and pools in C++."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn
from torch.nn.functional import pad

from lenetctl.training.cpu.compiler import compiled_library
from lenetctl.training.cpu.layers import ActivatedPool, Convolution

Layer = Callable[[Tensor], Tensor]

FUSED: dict[type[nn.Module], str] = {nn.ReLU: "relu", nn.Sigmoid: "sigmoid"}
POOLS: dict[type[nn.Module], str] = {nn.AvgPool2d: "avg", nn.MaxPool2d: "max"}


def compiled_forward(net: nn.Sequential) -> Callable[[Tensor], Tensor]:
    """Return what maps images (N, 1, H, W) to the logits (N, 10) of `net`, on a CPU, in float32.

    Gradients reach the net's own parameters. Values are those of `net` within float tolerance. A
    batch whose statistics batch norm takes must fill its blocks; where not, `net` itself is used.

    Raises:
        UsageError: there is no C++ compiler, or it cannot compile the layers.

    """
    lanes = int(compiled_library().lanes())
    modules = list(net)
    flatten = next(i for i, module in enumerate(modules) if isinstance(module, nn.Flatten))
    layers, back = _layers(modules[:flatten]), modules[flatten + 1 :]
    normed = any(isinstance(module, nn.BatchNorm2d) for module in modules)

    def logits(images: Tensor) -> Tensor:
        count, missing = len(images), -len(images) % lanes
        if missing and normed and net.training:
            return net(images)  # type: ignore[no-any-return]
        if missing:
            images = pad(images, (0, 0, 0, 0, 0, 0, 0, missing))
        x = images.reshape(-1, lanes, *images.shape[1:]).permute(0, 2, 3, 4, 1).contiguous()
        for layer in layers:
            x = layer(x)
        x = x.permute(0, 4, 1, 2, 3).reshape(count + missing, -1)[:count]
        for module in back:
            x = module(x)
        return x

    return logits


def _layers(modules: Sequence[nn.Module]) -> list[Layer]:
    layers: list[Layer] = []
    for module, following in zip(modules, (*modules[1:], None), strict=True):
        if type(module) in FUSED and type(following) in POOLS:
            continue  # done by the pool
        if isinstance(module, nn.Conv2d):
            layers.append(_convolution(module))
        elif isinstance(module, nn.AvgPool2d | nn.MaxPool2d):
            before = modules[modules.index(module) - 1]
            layers.append(_pool(FUSED.get(type(before), "none"), module))
        elif isinstance(module, nn.BatchNorm2d):
            layers.append(_norm(module))
        else:
            layers.append(module)
    return layers


def _convolution(conv: nn.Conv2d) -> Layer:
    stride, padding = conv.stride[0], conv.padding[0]
    return lambda x: Convolution.apply(x, conv.weight, conv.bias, stride, padding)


def _pool(activation: str, pool: nn.AvgPool2d | nn.MaxPool2d) -> Layer:
    arguments = (activation, POOLS[type(pool)], pool.kernel_size, pool.stride, pool.padding)
    return lambda x: ActivatedPool.apply(x, *arguments)


def _norm(norm: nn.BatchNorm2d) -> Layer:
    return lambda x: norm(x.flatten(3)).view_as(x)
