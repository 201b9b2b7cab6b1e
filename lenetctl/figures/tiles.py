"""Small pictures of arrays beside each other, and the scale of their colours; all in inches."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from lenetctl.figures.style import MUTED, SMALL, text_width

Array = NDArray[Any]  # of floats

_GAP = 0.04
_LINE = 0.15  # of text
_BAR, _BAR_HEIGHT = 1.3, 0.07  # of a scale of colours
_WIDEST = 4  # times the height: of an array longer than that, pixels become thin


class Scale(NamedTuple):
    """A colour map and the values at its two ends, which differ."""

    cmap: str
    low: float
    high: float


def limits(values: Array) -> tuple[float, float]:
    """Return the least and the greatest finite value, never the same number twice."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return (low, high) if low < high else (low, low + 1)


def draw_tiles(
    axes: Axes,
    corner: tuple[float, float],
    tiles: Array,
    columns: int,
    side: float,
    scale: Scale,
) -> tuple[float, float]:
    """Draw `tiles` (N, h, w) right and down of `corner`; return the far corner.

    Args:
        axes: blank axes.
        corner: left and top of the first tile.
        tiles: the arrays.
        columns: tiles to a line.
        side: height of a tile.
        scale: the colours of all tiles.

    """
    left, top = corner
    _, h, w = tiles.shape
    width = side * min(w / h, _WIDEST)
    right, bottom = corner
    for number, tile in enumerate(tiles):
        line, column = divmod(number, columns)
        x, y = left + column * (width + _GAP), top - line * (side + _GAP)
        _draw(axes, tile, (x, x + width, y - side, y), scale)
        right, bottom = max(right, x + width), y - side
    return right, bottom


def half(side: float) -> float:
    """Return the height of tiles of which two, one above the other, are `side` high."""
    return (side - _GAP) / 2


def colour_bar(
    axes: Axes, corner: tuple[float, float], words: str, scale: Scale
) -> tuple[float, float]:
    """Draw `scale` as a bar, its ends and `words` below it; return the far corner."""
    left, top = corner
    right, bottom = left + _BAR, top - _BAR_HEIGHT
    _, low, high = scale
    _draw(axes, np.linspace(low, high, 256)[None], (left, right, bottom, top), scale)
    decimals = max(0, 1 - math.floor(math.log10(high - low)))
    for x, side, text in (
        (left, "left", f"{low:.{decimals}f}"),
        ((left + right) / 2, "center", words),
        (right, "right", f"{high:.{decimals}f}"),
    ):
        axes.text(x, bottom - 0.03, text.replace("-", "−"), size=SMALL, ha=side, va="top")
    return right, bottom - _LINE - 0.03


def _draw(
    axes: Axes, values: Array, extent: tuple[float, float, float, float], scale: Scale
) -> None:
    axes.imshow(
        values,
        cmap=scale.cmap,
        vmin=scale.low,
        vmax=scale.high,
        extent=extent,
        aspect="auto",
        interpolation="nearest",
    )


def caption(axes: Axes, top: float, width: float, notes: Sequence[str]) -> float:
    """Write `notes` below `top`, each from a new line; return where they end."""
    for note in notes:
        top -= _LINE / 2
        letters = int(len(note) * width / text_width(note, SMALL))
        for line in textwrap.wrap(note, letters):
            axes.text(0, top, line, size=SMALL, color=MUTED, va="top")
            top -= _LINE
    return top
