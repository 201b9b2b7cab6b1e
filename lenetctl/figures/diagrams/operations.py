"""A net as its pictures tell it: one step for each operation that makes new numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lenetctl.specs import Layer
from lenetctl.specs.schema import Conv, Pool

# tints of the style's sky blue, orange and green: black text stands on them
_SKY, _ORANGE, _GREEN, DROPOUT_FILL = "#d3e9f7", "#fbe6bd", "#cfeae0", "#ffffff"


class Style(NamedTuple):
    """How the pictures write one kind of operation, and its colour.

    In both texts {window} is the window, as 5×5, and {0} the channels or units that are
    left; behind channels {1} and {2} are the map's height and width.
    """

    flow: str
    compact: str
    fill: str


STYLES = {
    "image": Style("", "image ({1}×{2})", "#f1f1f1"),
    "resize": Style("resized", "resize ({1}×{2})", "#f1f1f1"),
    "conv": Style("{window}\nconvolution", "{window} Conv ({0})", _SKY),
    "avg": Style("{window} average\npooling", "{window} AvgPool", _ORANGE),
    "max": Style("{window} max\npooling", "{window} MaxPool", _ORANGE),
    "subsample": Style("{window}\nsubsampling", "{window} Subsampling", _ORANGE),
    "rbf": Style("RBF {0}", "RBF ({0})", _GREEN),
    "dense": Style("dense {0}", "FC ({0})", _GREEN),
}

# of activations and norms, where the word of the spec is not the usual one
_WORDS = {
    "scaled_tanh": "scaled tanh",
    "relu": "ReLU",
    "leaky_relu": "leaky ReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "batch": "batch norm",
}


@dataclass
class Operation:
    """The image, a convolution, a pooling or a dense layer, and what is done around it."""

    kind: str  # of STYLES
    shape: tuple[int, ...]  # what it leaves: (channels, height, width), or (units,)
    window: tuple[int, int] = (0, 0)  # height and width in pixels
    options: list[str] = field(default_factory=list)  # "stride 2"
    before: list[str] = field(default_factory=list)  # "flatten", "dropout 0.5"
    after: list[str] = field(default_factory=list)  # "batch norm", "ReLU"

    @property
    def style(self) -> Style:
        """The texts, filled in, and the colour of this operation."""
        flow, compact, fill = STYLES[self.kind]
        window = "×".join(map(str, self.window))
        flow, compact = (text.format(*self.shape, window=window) for text in (flow, compact))
        return Style(flow, compact, fill)


def operations(layers: Sequence[Layer]) -> list[Operation]:
    """Return the image, then the steps of `layers`; what keeps the shape is told with them."""
    found = [Operation("image", layers[0].input_shape)]
    before: list[str] = []
    for layer in layers:
        shape = layer.output_shape
        match layer.config:
            case Conv(window=window, stride=stride, padding=padding):
                options = [f"stride {stride}"] * (stride > 1) + [f"pad {padding}"] * (padding > 0)
                options += ["partial"] * (layer.config.connections is not None)
                found.append(Operation("conv", shape, window, options))
            case Pool(kind=kind, size=side, stride=stride, padding=padding):
                options = [f"stride {stride}"] + [f"pad {padding}"] * (padding > 0)
                found.append(Operation(kind, shape, (side, side), options))
            case int(new_side):
                ratio = -(-layer.input_shape[1] // new_side)
                found.append(Operation("resize", shape, (ratio, ratio)))
            case float(probability):
                before.append(f"dropout {probability:g}")
            case str(kind):  # a norm or an activation
                found[-1].after.append(_WORDS.get(kind, kind))
            case _ if layer.kind == "flatten":
                before.append("flatten")
            case _ if layer.kind in ("dense", "rbf"):
                found.append(Operation(layer.kind, shape, before=before))
                before = []
    return found
