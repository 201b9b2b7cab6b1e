"""The layers of a model, worked out from its spec by arithmetic alone: no torch.

`plan_layers` is the one place that knows the order and names of layers. The builder makes a module
of each entry, `lenetctl shapes` prints them, and a `Spec` whose layers do not fit is refused.
"""

from dataclasses import dataclass
from math import prod
from typing import Literal

from lenetctl.specs.model import Activation, Conv, ModelSpec, Norm, Pool
from lenetctl.specs.yaml import KeyPath

INPUT_SHAPE = (1, 28, 28)  # channels, height, width
CLASSES = 10

Kind = Literal["conv", "norm", "activation", "pool", "flatten", "dropout", "dense"]
Sides = tuple[int, int]  # height and width
Config = Conv | Norm | Activation | Pool | float | None


class ShapeError(ValueError):
    """A layer whose output would be empty; `at` is the path of its key below `model`."""

    def __init__(self, message: str, at: KeyPath) -> None:
        """Keep the path beside the message."""
        super().__init__(message)
        self.at = at


@dataclass(frozen=True)
class Layer:
    """One layer; shapes are of one image, without the batch dimension."""

    name: str
    kind: Kind
    config: Config
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
    sides = INPUT_SHAPE[1:]  # height, width

    def add(
        name: str,
        kind: Kind,
        config: Config,
        output_shape: tuple[int, ...],
        parameters: int = 0,
        macs: int = 0,
    ) -> None:
        nonlocal shape
        layers.append(Layer(name, kind, config, shape, output_shape, parameters, macs))
        shape = output_shape

    for i, conv in enumerate(model.conv):
        n = i + 1
        sides = _output(f"conv{n}", sides, conv.window, conv.stride, conv.padding, ("conv", i))
        weights = shape[0] * prod(conv.window) * conv.channels
        parameters = weights + conv.channels * conv.bias
        add(f"conv{n}", "conv", conv, (conv.channels, *sides), parameters, weights * prod(sides))
        norm = conv.norm or model.norm
        if norm != "none":
            add(f"norm{n}", "norm", norm, shape, 2 * conv.channels)
        activation = conv.activation or model.activation
        if activation != "none":
            add(f"act{n}", "activation", activation, shape)
        pool = conv.pool or model.pool
        if pool.kind != "none":
            at: KeyPath = ("conv", i, "pool") if conv.pool else ("pool",)
            window = (pool.size, pool.size)
            sides = _output(f"pool{n}", sides, window, pool.stride, pool.padding, at)
            add(f"pool{n}", "pool", pool, (conv.channels, *sides))

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


def _output(
    name: str, sides: Sides, window: Sides, stride: int, padding: int, at: KeyPath
) -> Sides:
    """Return the sides of what a window leaves of a map, in pixels."""
    height, width = (side + 2 * padding for side in sides)
    if window[0] > height or window[1] > width:
        padded = f"{height}" if height == width else f"{height}×{width}"
        note = f" ({padded} with padding)" if padding else ""
        fits = f"a {window[0]}×{window[1]} window does not fit {sides[0]}×{sides[1]}"
        raise ShapeError(f"{name} would be 0×0: {fits}{note}", at)
    return (height - window[0]) // stride + 1, (width - window[1]) // stride + 1
