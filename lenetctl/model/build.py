"""From a model's spec to an `nn.Sequential` whose modules have the names of the plan."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from lenetctl.model.initialise import initialise
from lenetctl.specs.layers import Layer, plan_layers
from lenetctl.specs.schema import ModelSpec

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}
NORMS: dict[str, Callable[[int], nn.Module]] = {"batch": nn.BatchNorm2d}
POOLS: dict[str, Callable[[int, int, int], nn.Module]] = {
    # zeros of the padding count, as in the chapter's DJL
    "avg": nn.AvgPool2d,
    "max": nn.MaxPool2d,
}
MODULES: dict[str, Callable[[Layer, Any], nn.Module]] = {
    "conv": lambda layer, conv: nn.Conv2d(
        layer.input_shape[0], conv.channels, conv.window, conv.stride, conv.padding, bias=conv.bias
    ),
    "norm": lambda layer, kind: NORMS[kind](layer.input_shape[0]),
    "activation": lambda _, kind: ACTIVATIONS[kind](),
    "pool": lambda _, pool: POOLS[pool.kind](pool.size, pool.stride, pool.padding),
    "flatten": lambda _, __: nn.Flatten(),
    "dropout": lambda _, p: nn.Dropout(p),
    "dense": lambda layer, _: nn.Linear(layer.input_shape[0], layer.output_shape[0]),
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


def _generator_seed(seed: int) -> int:
    """Return `seed` as 32 bits: torch's generator of the CPU ignores the others."""
    if seed < 2**32:
        return seed
    return int.from_bytes(hashlib.sha256(f"weights {seed}".encode()).digest()[:4], "big")
