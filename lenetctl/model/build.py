"""From a model's spec to an `nn.Sequential` whose modules have the names of the plan."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from lenetctl.model.initialise import initialise
from lenetctl.model.modules import Convolution, RbfOutput, ScaledTanh, Subsampling
from lenetctl.specs.layers import Layer, plan_layers
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
MODULES: dict[str, Callable[[Layer, Any], nn.Module]] = {
    "conv": lambda layer, conv: _convolution(layer.input_shape[0], conv),
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
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_generator_seed(seed))
        modules = {
            layer.name: MODULES[layer.kind](layer, layer.config) for layer in plan_layers(model)
        }
        net = nn.Sequential(OrderedDict(modules))
        initialise(net, model)
    return net


def _convolution(inputs: int, conv: Conv) -> nn.Conv2d:
    if conv.connections or conv.padding_value:
        return Convolution(inputs, conv)
    size, stride, padding = conv.kernel, conv.stride, conv.padding
    return nn.Conv2d(inputs, conv.channels, size, stride, padding, bias=conv.bias)


def _generator_seed(seed: int) -> int:
    """Return `seed` as 32 bits: torch's generator of the CPU ignores the others."""
    if seed < 2**32:
        return seed
    return int.from_bytes(hashlib.sha256(f"weights {seed}".encode()).digest()[:4], "big")
