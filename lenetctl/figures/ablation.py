"""What is lost with a channel, class by class, and with a square of an image."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lenetctl.figures.fonts import legible
from lenetctl.figures.style import (
    INK,
    SMALL,
    TITLE,
    blank_axes,
    cut,
    headline,
    new_figure,
    place,
    styled,
    text_width,
)
from lenetctl.figures.tiles import Scale, caption, colour_bar, draw_tiles, limits

Array = NDArray[Any]  # of floats

_MOST = 64  # channels of a layer
_NOTE = "percentage points lost without the channel: red; gained: blue; a layer has its own scale"

# inches
_WIDTH, _HEIGHT = 0.4, 0.18  # of a cell
_SIDE, _GAP, _LINE = 1.0, 0.1, 0.15
_LETTERS, _COLUMNS = 18, 8  # to a line of a caption; images to a line
_EDGE, _HEADING = 0.12, 0.35


@styled()
def channel_losses(
    layers: Mapping[str, tuple[Sequence[int], Array]], classes: Sequence[str], title: str
) -> Figure:
    """Return heat maps of channels × classes, a layer below the other, in percentage points.

    Red is lost without the channel, blue is gained, on the scale of each layer. Of a layer with
    more than 64 channels the first
    64 are drawn, and its heading says so.

    Args:
        layers: by name the numbers of C channels, and (C, K) what each class loses, as fractions;
            NaN where there is nothing to lose.
        classes: K texts.
        title: stands above all.

    """
    columns = [legible(name) for name in classes]
    names = max(map(text_width, columns))
    above = 0.72 * names + 0.1  # the names stand slanted
    left = 0.45
    blocks = [
        (name, rows[:_MOST], lost[:_MOST], len(rows)) for name, (rows, lost) in layers.items()
    ]
    width = left + _WIDTH * len(columns) + max(0, 0.72 * names - _WIDTH / 2) + _EDGE
    width = max(width, text_width(_NOTE, SMALL) + 2 * _EDGE)
    block_heights = [_HEADING + above + _HEIGHT * len(rows) for _, rows, _, _ in blocks]
    height = 0.35 + sum(block_heights) + 0.35
    figure = new_figure(width, height)
    headline(figure, title)
    top = height - 0.35
    for (name, rows, lost, count), block in zip(blocks, block_heights, strict=True):
        heading = name if count == len(rows) else f"{name}, {len(rows)} of {count} channels"
        figure.text(_EDGE / width, (top - 0.1) / height, heading, weight="bold", va="top")
        axes = place(figure, left, top - block, _WIDTH * len(columns), _HEIGHT * len(rows))
        largest = np.nanmax(np.abs(lost), initial=0) or 1
        axes.imshow(lost, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto")
        for (row, column), value in np.ndenumerate(lost):
            if np.isfinite(value):
                figure.text(
                    column,
                    row,
                    f"{100 * value:.0f}".replace("-0", "0").replace("-", "−"),
                    transform=axes.transData,
                    color="white" if abs(value) > 0.7 * largest else INK,
                    size=SMALL,
                    ha="center",
                    va="center",
                )
        slant: dict[str, Any] = {"rotation": 45, "ha": "left", "rotation_mode": "anchor"}
        axes.xaxis.tick_top()
        axes.set_xticks(range(len(columns)), columns, **slant)
        axes.set_yticks(range(len(rows)), [str(row) for row in rows])
        axes.tick_params(length=0)
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        top -= block
    figure.text(_EDGE / width, 0.1 / height, _NOTE, size=SMALL, va="bottom")
    return figure


@styled()
def occlusion_maps(images: Array, maps: Array, captions: Sequence[str], title: str) -> Figure:
    """Return images above what each place of them is worth, red where covering it costs.

    Args:
        images: (R, H, W) in [0, 1].
        maps: (R, H, W), how far the probability falls where a square is covered.
        captions: R texts below the images, broken into lines at their spaces.
        title: stands above all.

    """
    figure = new_figure(1, 1)
    axes = blank_axes(figure)
    axes.text(0, 0, title, size=TITLE, va="top")
    largest = max(map(abs, limits(maps)))
    scale = Scale("RdBu_r", -largest, largest)
    words = [textwrap.fill(legible(text), _LETTERS) for text in captions]
    across = max(_SIDE, *map(text_width, words)) + _GAP
    down = 2 * (_SIDE + _GAP) + _LINE * max(text.count("\n") + 1 for text in words) + _GAP
    right, bottom = 0.0, 0.0
    for number, text in enumerate(words):
        row, column = divmod(number, _COLUMNS)
        x, y = column * across, -0.3 - row * down
        draw_tiles(axes, (x, y), images[number][None], 1, _SIDE, Scale("gray", 0, 1))
        draw_tiles(axes, (x, y - _SIDE - _GAP), maps[number][None], 1, _SIDE, scale)
        axes.text(x, y - 2 * (_SIDE + _GAP), text, va="top")
        right, bottom = max(right, x + across), y - down
    end, bottom = colour_bar(axes, (0, bottom), "lost", scale)
    width = max(right, end, text_width(title, TITLE))
    note = "the probability of the class that the net names, where a 5×5 square is covered"
    cut(figure, [(axes, width, -caption(axes, bottom, width, [note]))])
    return figure
