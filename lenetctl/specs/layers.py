"""The layers of a model, worked out from its spec by arithmetic alone: no torch.

`plan` is the one place that knows the order and names of layers. The builder makes a module of
each entry, `lenetctl shapes` prints them, and a spec whose layers do not fit is refused here.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from lenetctl.specs.model import Activation, Conv, ModelSpec, Norm, Pool

INPUT_SHAPE = (1, 28, 28)  # channels, height, width
CLASSES = 10

Kind = Literal["conv", "norm", "activation", "pool", "flatten", "dropout", "dense"]


class ShapeError(ValueError):
    """A layer whose output would be empty; `at` is the path of its key below `model`."""

    def __init__(self, message: str, *at: str | int) -> None:
        """Keep the place beside the message."""
        super().__init__(message)
        self.at = at


@dataclass(frozen=True)
class Layer:
    """One layer for one image: shapes are without the batch dimension."""

    name: str
    kind: Kind
    # what the builder needs beside the shapes
    config: Conv | Norm | Activation | Pool | float | None
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    parameters: int = 0  # trainable numbers
    macs: int = 0  # multiply-accumulate operations of one image's forward pass


def plan_layers(model: ModelSpec) -> list[Layer]:
    """Return the layers of `model` in order, `conv1` to `output`.

    Raises:
        ShapeError: a window is larger than what it slides over.

    """
    layers: list[Layer] = []
    shape: tuple[int, ...] = INPUT_SHAPE

    def add(
        name: str,
        kind: Kind,
        config: Conv | Norm | Activation | Pool | float | None,
        output_shape: tuple[int, ...],
        parameters: int = 0,
        macs: int = 0,
    ) -> None:
        nonlocal shape
        layers.append(Layer(name, kind, config, shape, output_shape, parameters, macs))
        shape = output_shape

    for i, conv in enumerate(model.conv):
        n = i + 1
        side = _slide(f"conv{n}", shape[1], conv.kernel, conv.stride, conv.padding, ("conv", i))
        weights = shape[0] * conv.kernel**2 * conv.channels
        parameters = weights + conv.channels * conv.bias
        add(f"conv{n}", "conv", conv, (conv.channels, side, side), parameters, weights * side**2)
        norm = conv.norm or model.norm
        if norm != "none":
            add(f"norm{n}", "norm", norm, shape, 2 * conv.channels)
        activation = conv.activation or model.activation
        if activation != "none":
            add(f"act{n}", "activation", activation, shape)
        pool = conv.pool or model.pool
        if pool.kind != "none":
            at: tuple[str | int, ...] = ("conv", i, "pool") if conv.pool else ("pool",)
            side = _slide(f"pool{n}", side, pool.size, pool.stride, pool.padding, at)
            add(f"pool{n}", "pool", pool, (conv.channels, side, side))

    add("flatten", "flatten", None, (prod(shape),))
    for j, width in enumerate((*model.dense, CLASSES)):
        last = j == len(model.dense)
        if model.dropout:
            add(f"dropout{j + 1}", "dropout", model.dropout, shape)
        macs = shape[0] * width
        add("output" if last else f"dense{j + 1}", "dense", None, (width,), macs + width, macs)
        if not last and model.activation != "none":
            add(f"act{len(model.conv) + j + 1}", "activation", model.activation, shape)
    return layers


def _slide(
    name: str, side: int, size: int, stride: int, padding: int, at: tuple[str | int, ...]
) -> int:
    """Return the side of what a square window leaves of a square map, both in pixels."""
    room = side + 2 * padding - size
    if room < 0:
        padded = f" ({side + 2 * padding} with padding)" if padding else ""
        message = f"{name} would be 0×0: a {size}×{size} window does not fit {side}×{side}{padded}"
        raise ShapeError(message, *at)
    return room // stride + 1
