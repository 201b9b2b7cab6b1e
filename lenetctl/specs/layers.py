"""The layers of a model, worked out from its spec by arithmetic alone: no torch.

`plan_layers` is the one place that knows the order and names of layers. The builder makes a module
of each entry, `lenetctl shapes` prints them, and a `Spec` whose layers do not fit is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Literal

from lenetctl.specs.model import Activation, Conv, ModelSpec, Norm, Pool
from lenetctl.specs.yaml import KeyPath

INPUT_SHAPE = (1, 28, 28)  # channels, height, width
CLASSES = 10

Kind = Literal["conv", "norm", "activation", "pool", "flatten", "dropout", "dense", "rbf"]
Config = Conv | Norm | Activation | Pool | float | tuple[str, ...] | None


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
        ShapeError: a window is larger than what it slides over, or a table of connections or
            codes does not fit the layers around it.

    """
    layers: list[Layer] = []
    shape: tuple[int, ...] = INPUT_SHAPE
    side = INPUT_SHAPE[1]

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
        side = _output_side(f"conv{n}", side, conv.kernel, conv.stride, conv.padding, ("conv", i))
        weights = _kernels(f"conv{n}", conv, shape[0], ("conv", i)) * conv.kernel**2
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
            at: KeyPath = ("conv", i, "pool") if conv.pool else ("pool",)
            side = _output_side(f"pool{n}", side, pool.size, pool.stride, pool.padding, at)
            _add_pool(add, f"pool{n}", pool, activation, (conv.channels, side, side))

    add("flatten", "flatten", None, (prod(shape),))
    for j, width in enumerate((*model.dense, CLASSES)):
        last = j == len(model.dense)
        if model.dropout:
            add(f"dropout{j + 1}", "dropout", model.dropout, shape)
        macs = shape[0] * width
        if last and model.output_codes:
            _check_codes(model.output_codes, shape[0])
            add("output", "rbf", model.output_codes, (width,), macs=macs)
            continue
        add("output" if last else f"dense{j + 1}", "dense", None, (width,), macs + width, macs)
        if not last and model.activation != "none":
            add(f"act{len(model.conv) + j + 1}", "activation", model.activation, shape)
    return layers


def _add_pool(
    add: Callable[..., None], name: str, pool: Pool, activation: Activation, left: tuple[int, ...]
) -> None:
    """Add a pool that leaves maps (C, H, W); behind one that is learnt, the activation again."""
    if pool.kind != "subsample":
        add(name, "pool", pool, left)
        return
    add(name, "pool", pool, left, 2 * left[0], prod(left) * pool.size**2)
    if activation != "none":
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


def _check_codes(codes: tuple[str, ...], units: int) -> None:
    for number, code in enumerate(codes):
        if len(code) != units:
            message = f"has {len(code)} signs, and the layer before the output {units} units"
            raise ShapeError(message, ("output_codes", number))


def _output_side(name: str, side: int, size: int, stride: int, padding: int, at: KeyPath) -> int:
    """Return the side of what a square window leaves of a square map, both in pixels."""
    padded = side + 2 * padding
    if size > padded:
        note = f" ({padded} with padding)" if padding else ""
        message = f"{name} would be 0×0: a {size}×{size} window does not fit {side}×{side}{note}"
        raise ShapeError(message, at)
    return (padded - size) // stride + 1
