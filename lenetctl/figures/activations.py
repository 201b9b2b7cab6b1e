"""What the layers make of images: feature maps, a row for each image."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lenetctl.figures.fonts import legible
from lenetctl.figures.style import TITLE, blank_axes, cut, new_figure, styled, text_width
from lenetctl.figures.tiles import Scale, caption, colour_bar, draw_tiles, half, limits

Array = NDArray[Any]  # of floats

# inches
_ROW = 0.62  # an image, and a map of a layer that has few
_ROW_GAP = 0.1
_BLOCK_GAP = 0.3
_LABEL_GAP = 0.1
_LINE = 0.22  # a title
_RUN_GAP = 0.2

_FEW = 8  # channels that stand in one line; more stand in two
_MOST = 16
_LABEL = 16  # characters to a line
_LABEL_LINE = 0.15  # inches


def feature_maps(
    inputs: Array, maps: Sequence[Array], row_labels: Sequence[str], layer_titles: Sequence[str]
) -> Figure:
    """Return the feature maps of some layers for some images, a row for each image.

    All maps of a layer share one colour scale. Of more than 16 channels those 16 are shown whose
    mean activation over the images is largest, and the caption says which.

    Args:
        inputs: (R, H, W) in [0, 1].
        maps: for each layer (R, C, h, w); the sizes of layers may differ.
        row_labels: R texts, such as `coat → pullover 0.62`, broken into lines at their spaces.
        layer_titles: a text for each layer.

    """
    return feature_maps_compared(inputs, {"": (maps, row_labels)}, layer_titles)


@styled()
def feature_maps_compared(
    inputs: Array,
    runs: Mapping[str, tuple[Sequence[Array], Sequence[str]]],
    layer_titles: Sequence[str],
) -> Figure:
    """Return the feature maps of several runs for the same images, run below run.

    Args:
        inputs: (R, H, W) in [0, 1].
        runs: by name, `maps` and `row_labels` as in `feature_maps`. Each run has colour scales
            of its own, since a sigmoid's values and a ReLU's do not fit on one.
        layer_titles: a text for each layer.

    """
    figure = new_figure(1, 1)
    axes = blank_axes(figure)
    labels = [textwrap.fill(legible(label), _LABEL) for _, rows in runs.values() for label in rows]
    left = _LABEL_GAP + max(map(text_width, labels))
    width = bottom = 0.0
    for number, (name, (maps, row_labels)) in enumerate(runs.items()):
        top = bottom - _RUN_GAP * (number > 0)
        if name:
            axes.text(0, top, name, size=TITLE, weight="bold", va="top")
            top -= _LINE
        right, bottom = _draw_run(axes, (left, top), inputs, maps, row_labels, layer_titles)
        width = max(width, right)
    cut(figure, [(axes, width, -bottom)])
    return figure


def _draw_run(
    axes: Axes,
    corner: tuple[float, float],
    inputs: Array,
    maps: Sequence[Array],
    row_labels: Sequence[str],
    layer_titles: Sequence[str],
) -> tuple[float, float]:
    """Draw one run right and down of `corner`, its labels to the left; return the far corner."""
    left, top = corner
    labels = [textwrap.fill(legible(label), _LABEL) for label in row_labels]
    heights = [max(_ROW, _LABEL_LINE * len(label.split("\n"))) for label in labels]
    tops = top - _LINE - (max(heights) + _ROW_GAP) * np.arange(len(inputs))
    for words, y, height in zip(labels, tops, heights, strict=True):
        axes.text(left - _LABEL_GAP, y - height / 2, words, ha="right", va="center")
    grey = Scale("gray", 0, 1)
    right = _draw_layer(axes, left, tops, "input", inputs[:, None], grey)

    notes, bottom = [], tops[-1] - _ROW
    for title, layer in zip(layer_titles, maps, strict=True):
        channels = most_active(layer)
        shown = layer[:, channels]
        scale = Scale("viridis", *limits(shown))
        x = right + _BLOCK_GAP
        maps_end = _draw_layer(axes, x, tops, title, shown, scale)
        bar_end, bottom = colour_bar(axes, (x, tops[-1] - _ROW - _ROW_GAP), "activation", scale)
        right = max(maps_end, bar_end)
        if len(channels) < layer.shape[1]:
            notes.append(
                f"{title}, {len(channels)} of {layer.shape[1]} channels, those with the largest "
                f"mean activation: {', '.join(map(str, channels))} (the first is 0)."
            )
    return right, caption(axes, min(bottom, tops[-1] - heights[-1]), right, notes)


def _draw_layer(
    axes: Axes, left: float, tops: Array, title: str, maps: Array, scale: Scale
) -> float:
    """Draw maps (R, C, h, w), a row at each of `tops`; return where they and the title end."""
    axes.text(left, tops[0] + 0.06, title, va="bottom")
    count = maps.shape[1]
    columns, side = (count, _ROW) if count <= _FEW else (-(-count // 2), half(_ROW))
    for row, top in zip(maps, tops, strict=True):
        end, _ = draw_tiles(axes, (left, top), row, columns, side, scale)
    return max(end, left + text_width(title))


def most_active(maps: Array, most: int = _MOST) -> list[int]:
    """Return the channels of maps (R, C, h, w) to show where only `most` are, in order."""
    activity = np.where(np.isfinite(maps), maps, 0).mean(axis=(0, 2, 3))
    return sorted(np.argsort(-activity, kind="stable")[:most].tolist())
