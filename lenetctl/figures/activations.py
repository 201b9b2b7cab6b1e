"""What the layers make of an image: feature maps, and the kernels that made the first of them."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lenetctl.figures.style import (
    INK,
    MUTED,
    SMALL,
    TEXT,
    TITLE,
    new_figure,
    place,
    styled,
    text_width,
)

Array = NDArray[Any]  # of floats

# inches
_ROW = 0.84  # the side of an input, and of a map where a layer has few
_ROW_GAP = 0.12
_TILE_GAP = 0.04
_BLOCK_GAP = 0.34
_MARGIN = 0.12
_TITLE = 0.24  # the line above a block
_BAR = 0.42  # a colour bar with its numbers

_FEW = 8  # channels that stand in one line
_MOST = 16


def feature_maps(
    inputs: Array, maps: Sequence[Array], row_labels: Sequence[str], layer_titles: Sequence[str]
) -> Figure:
    """Return the feature maps of some layers for some images, an image a row.

    Of a layer with more than 16 channels, the 16 with the largest mean activation are shown. All
    maps of a layer have one colour scale.

    Args:
        inputs: (R, H, W) in [0, 1].
        maps: for each layer (R, C, h, w); sizes may differ between layers.
        row_labels: R texts, such as `coat → pullover 0.62`.
        layer_titles: a text for each layer.

    """
    return feature_maps_compared(inputs, {"": (maps, row_labels)}, layer_titles)


@styled()
def feature_maps_compared(
    inputs: Array,
    runs: Mapping[str, tuple[Sequence[Array], Sequence[str]]],
    layer_titles: Sequence[str],
) -> Figure:
    """Return the feature maps of several runs for the same images, one run below the other.

    Args:
        inputs: (R, H, W) in [0, 1].
        runs: by name, what `feature_maps` takes as `maps` and `row_labels`.
        layer_titles: a text for each layer.

    """
