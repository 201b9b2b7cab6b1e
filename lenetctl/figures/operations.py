"""A net as its pictures tell it: one step for each operation that makes new numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from lenetctl.specs import Layer
from lenetctl.specs.schema import Conv, Pool

_ACTIVATIONS = {
    "relu": "ReLU",
    "leaky_relu": "leaky ReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU",
}

# tints of the style's sky blue, orange and green: black text stands on them
FILLS = {
    "image": "#f1f1f1",
    "conv": "#d3e9f7",
    "avg": "#fbe6bd",
    "max": "#fbe6bd",
    "dense": "#cfeae0",
    "dropout": "#ffffff",
}


@dataclass
class Operation:
    """The image, a convolution, a pooling or a dense layer, and what is done around it."""

    kind: Literal["image", "conv", "avg", "max", "dense"]
    shape: tuple[int, ...]  # what it leaves: (channels, height, width), or (units,)
    window: int = 0  # side in pixels
    options: list[str] = field(default_factory=list)  # "stride 2"
    before: list[str] = field(default_factory=list)  # "flatten", "dropout 0.5"
    after: list[str] = field(default_factory=list)  # "batch norm", "ReLU"


def operations(layers: Sequence[Layer]) -> list[Operation]:
    """Return the image, then the steps of `layers`; what keeps the shape is told with them."""
    found = [Operation("image", layers[0].input_shape)]
    before: list[str] = []
    for layer in layers:
        shape = layer.output_shape
        match layer.config:
            case Conv(kernel=window, stride=stride, padding=padding):
                options = [f"stride {stride}"] * (stride > 1) + [f"pad {padding}"] * (padding > 0)
                found.append(Operation("conv", shape, window, options))
            case Pool(kind=("avg" | "max") as kind, size=window, stride=stride, padding=padding):
                options = [f"stride {stride}"] + [f"pad {padding}"] * (padding > 0)
                found.append(Operation(kind, shape, window, options))
            case float(probability):
                before.append(f"dropout {probability:g}")
            case str(activation):
                found[-1].after.append(_ACTIVATIONS.get(activation, activation))
            case _ if layer.kind == "norm":
                found[-1].after.append("batch norm")
            case _ if layer.kind == "flatten":
                before.append("flatten")
            case _ if layer.kind == "dense":
                found.append(Operation("dense", shape, before=before))
                before = []
    return found
