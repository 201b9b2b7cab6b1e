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

    In both texts {window} is the window's side in pixels and {0} the channels or units that are
    left; behind channels {1} and {2} are the map's height and width.
    """

    flow: str
    compact: str
    fill: str


STYLES = {
    "image": Style("", "image ({1}×{2})", "#f1f1f1"),
    "conv": Style("{window}×{window}\nconvolution", "{window}×{window} Conv ({0})", _SKY),
    "avg": Style("{window}×{window} average\npooling", "{window}×{window} AvgPool", _ORANGE),
    "max": Style("{window}×{window} max\npooling", "{window}×{window} MaxPool", _ORANGE),
    "subsample": Style("{window}×{window}\nsubsampling", "{window}×{window} Subsampling", _ORANGE),
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
    window: int = 0  # side in pixels
    options: list[str] = field(default_factory=list)  # "stride 2"
    before: list[str] = field(default_factory=list)  # "flatten", "dropout 0.5"
    after: list[str] = field(default_factory=list)  # "batch norm", "ReLU"

    @property
    def style(self) -> Style:
        """The texts, filled in, and the colour of this operation."""
        flow, compact, fill = STYLES[self.kind]
        flow, compact = (text.format(*self.shape, window=self.window) for text in (flow, compact))
        return Style(flow, compact, fill)


def operations(layers: Sequence[Layer]) -> list[Operation]:
    """Return the image, then the steps of `layers`; what keeps the shape is told with them."""
    found = [Operation("image", layers[0].input_shape)]
    before: list[str] = []
    for layer in layers:
        shape = layer.output_shape
        match layer.config:
            case Conv(kernel=window, stride=stride, padding=padding):
                options = [f"stride {stride}"] * (stride > 1) + [f"pad {padding}"] * (padding > 0)
                options += ["partial"] * (layer.config.connections is not None)
                found.append(Operation("conv", shape, window, options))
            case Pool(kind=kind, size=window, stride=stride, padding=padding):
                options = [f"stride {stride}"] + [f"pad {padding}"] * (padding > 0)
                found.append(Operation(kind, shape, window, options))
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
