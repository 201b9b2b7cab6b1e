"""The layers of a model, worked out from its spec by arithmetic alone: no torch.

`plan_layers` is the one place that knows the order and names of layers. The builder makes a module
of each entry, `lenetctl shapes` prints them, and a `Spec` whose layers do not fit is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Literal

from lenetctl.specs.model import Activation, Conv, ModelSpec, Norm, Pool
from lenetctl.specs.yaml import KeyPath

INPUT_SHAPE = (1, 28, 28)  # channels, height, width
CLASSES = 10

Kind = Literal["conv", "norm", "activation", "pool", "flatten", "dropout", "dense", "rbf", "resize"]
Sides = tuple[int, int]  # height and width
Config = Conv | Norm | Activation | Pool | float | int | tuple[str, ...] | None


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


@lru_cache(maxsize=1024)  # thousands of runs have few nets
def plan_layers(model: ModelSpec) -> tuple[Layer, ...]:
    """Return the layers of `model` in order, `conv1` to `output`.

    Raises:
        ShapeError: a window is larger than what it slides over, or a table of connections or
            codes does not fit the layers around it.

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
        if config == "none":  # no norm, no activation
            return
        layers.append(Layer(name, kind, config, shape, output_shape, parameters, macs))
        shape = output_shape

    if model.input_side:
        sides = (model.input_side, model.input_side)
        add("resize", "resize", model.input_side, (1, *sides))
    for i, conv in enumerate(model.conv):
        n = i + 1
        sides = _output(f"conv{n}", sides, conv.window, conv.stride, conv.padding, ("conv", i))
        weights = _kernels(f"conv{n}", conv, shape[0], ("conv", i)) * prod(conv.window)
        biases = conv.channels * (prod(sides) if conv.unit_bias else 1) * conv.bias
        macs = weights * prod(sides)
        add(f"conv{n}", "conv", conv, (conv.channels, *sides), weights + biases, macs)
        norm = conv.norm or model.norm
        add(f"norm{n}", "norm", norm, shape, 2 * conv.channels)
        activation = conv.activation or model.activation
        add(f"act{n}", "activation", activation, shape)
        pool = conv.pool or model.pool
        if pool.kind != "none":
            at: KeyPath = ("conv", i, "pool") if conv.pool else ("pool",)
            window = (pool.size, pool.size)
            sides = _output(f"pool{n}", sides, window, pool.stride, pool.padding, at)
            _add_pool(add, f"pool{n}", pool, activation, (conv.channels, *sides))

    add("flatten", "flatten", None, (prod(shape),))
    for j, width in enumerate((*model.dense, CLASSES)):
        if model.dropout:
            add(f"dropout{j + 1}", "dropout", model.dropout, shape)
        if j == len(model.dense):
            _add_output(add, model.output_codes, shape[0])
            continue
        macs = shape[0] * width
        add(f"dense{j + 1}", "dense", None, (width,), macs + width, macs)
        add(f"act{len(model.conv) + j + 1}", "activation", model.activation, shape)
    return tuple(layers)


def net_size(model: ModelSpec) -> tuple[int, int]:
    """Return how many parameters a net has, and multiply-accumulates of one image."""
    layers = plan_layers(model)
    return sum(layer.parameters for layer in layers), sum(layer.macs for layer in layers)


def _add_pool(
    add: Callable[..., None], name: str, pool: Pool, activation: Activation, left: tuple[int, ...]
) -> None:
    """Add a pool that leaves maps (C, H, W); behind one that is learnt, the activation again."""
    if pool.kind != "subsample":
        add(name, "pool", pool, left)
        return
    add(name, "pool", pool, left, 2 * left[0], prod(left) * pool.size**2)
    add(f"{name}_act", "activation", activation, left)


def _kernels(name: str, conv: Conv, inputs: int, at: KeyPath) -> int:
    """Return how many kernels a convolution has: one for each pair of maps that it connects."""
    if conv.connections is None:
        return inputs * conv.channels
    at = (*at, "connections")
    if len(conv.connections) != conv.channels:
        message = f"{name} has {conv.channels} channels, the table {len(conv.connections)} rows"
        raise ShapeError(message, at)
    for output, read in enumerate(conv.connections):
        if list(read) != sorted(set(read)) or read[-1] >= inputs:
            message = f"channels of {name} read some of 0 to {inputs - 1}, in ascending order"
            raise ShapeError(message, (*at, output))
    return sum(map(len, conv.connections))


def _add_output(add: Callable[..., None], codes: tuple[str, ...] | None, inputs: int) -> None:
    macs = inputs * CLASSES
    if codes is None:
        add("output", "dense", None, (CLASSES,), macs + CLASSES, macs)
        return
    for number, code in enumerate(codes):
        if len(code) != inputs:
            message = f"has {len(code)} signs, and the layer before the output {inputs} units"
            raise ShapeError(message, ("output_codes", number))
    add("output", "rbf", codes, (CLASSES,), macs=macs)


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
