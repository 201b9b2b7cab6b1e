"""From a model's spec to an `nn.Sequential` whose modules have the names of the plan.

A model in MLflow carries this file, to be loaded where there is no lenetctl: nothing of lenetctl is
imported before a function needs it.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from lenetctl.specs.layers import Layer
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
        layer.input_shape[0], conv.channels, conv.kernel, conv.stride, conv.padding, bias=conv.bias
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
    from lenetctl.model.initialise import initialise  # noqa: PLC0415
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
