"""From a model's spec to an `nn.Sequential` whose modules have the names of the plan.

A model in MLflow carries this folder, to be loaded where there is no lenetctl: nothing of the other
rooms is imported before training needs it.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from lenetctl.model.initialise import initialise
from lenetctl.model.modules import Convolution, RbfOutput, Resize, ScaledTanh, Subsampling

if TYPE_CHECKING:
    from lenetctl.specs.layers import Layer
    from lenetctl.specs.schema import Conv, ModelSpec, Pool

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "scaled_tanh": ScaledTanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}
NORMS: dict[str, Callable[[int], nn.Module]] = {"batch": nn.BatchNorm2d}
POOLS: dict[str, Callable[[Layer, Pool], nn.Module]] = {
    # zeros of the padding count, as in the chapter's DJL
    "avg": lambda _, pool: nn.AvgPool2d(pool.size, pool.stride, pool.padding),
    "max": lambda _, pool: nn.MaxPool2d(pool.size, pool.stride, pool.padding),
    "subsample": lambda layer, pool: Subsampling(layer.input_shape[0], pool),
}


def _convolution(layer: Layer, conv: Conv) -> nn.Conv2d:
    inputs = layer.input_shape[0]
    if conv.connections or (conv.padding and conv.padding_value) or conv.unit_bias:
        return Convolution(inputs, conv, layer.output_shape)
    size, stride, padding = conv.kernel, conv.stride, conv.padding
    return nn.Conv2d(inputs, conv.channels, size, stride, padding, bias=conv.bias)


MODULES: dict[str, Callable[[Layer, Any], nn.Module]] = {
    "resize": lambda _, side: Resize(side),
    "conv": _convolution,
    "norm": lambda layer, kind: NORMS[kind](layer.input_shape[0]),
    "activation": lambda _, kind: ACTIVATIONS[kind](),
    "pool": lambda layer, pool: POOLS[pool.kind](layer, pool),
    "flatten": lambda _, __: nn.Flatten(),
    "dropout": lambda _, p: nn.Dropout(p),
    "dense": lambda layer, _: nn.Linear(layer.input_shape[0], layer.output_shape[0]),
    "rbf": lambda _, codes: RbfOutput(codes),
}


def build_model(model: ModelSpec, seed: int) -> nn.Sequential:
    """Return the net that maps images (B, 1, 28, 28) to logits (B, 10).

    It is initialised from `seed` on the CPU, so that training starts from the same weights on every
    device. The state of the global generator does not change.
    """
    from lenetctl.specs.layers import plan_layers  # noqa: PLC0415

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_generator_seed(seed))
        net = sequential(plan_layers(model))
        initialise(net, model)
    return net


def sequential(layers: Iterable[Layer]) -> nn.Sequential:
    """Return a module for each layer of a plan, in its order and with its name."""
    return nn.Sequential(
        OrderedDict((layer.name, MODULES[layer.kind](layer, layer.config)) for layer in layers)
    )


def _generator_seed(seed: int) -> int:
    """Return `seed` as 32 bits: torch's generator of the CPU ignores the others."""
    if seed < 2**32:
        return seed
    return int.from_bytes(hashlib.sha256(f"weights {seed}".encode()).digest()[:4], "big")
