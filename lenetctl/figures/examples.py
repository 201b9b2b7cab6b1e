"""Images as a net gets them: a row a class."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from lenetctl.figures.style import (
    SMALL,
    TITLE,
    blank_axes,
    cut,
    new_figure,
    styled,
    text_width,
)
from lenetctl.figures.tiles import Scale, colour_bar, draw_tiles, limits

_SIDE, _GAP, _LINE = 0.62, 0.1, 0.22  # inches


@styled()
def examples(
    images: NDArray[Any], rows: Sequence[str], columns: Sequence[str], title: str
) -> Figure:
    """Return images on one scale of grey, and the scale.

    Args:
        images: (R, C, H, W), normalised.
        rows: R texts, the classes.
        columns: C texts, above the images.
        title: stands above all.

    """
    figure = new_figure(1, 1)
    axes = blank_axes(figure)
    scale = Scale("gray", *limits(images))
    axes.text(0, 0, title, size=TITLE, weight="bold", va="top")
    left = max(map(text_width, rows)) + _GAP
    top = -2 * _LINE
    width = 0.0
    for column, text in enumerate(columns):
        x = left + column * (_SIDE + _GAP)
        axes.text(x, top + 0.04, text, size=SMALL, va="bottom")
        for row, name in enumerate(rows):
            y = top - row * (_SIDE + _GAP)
            if not column:
                axes.text(0, y - _SIDE / 2, name, va="center")
            width, _ = draw_tiles(axes, (x, y), images[row, column][None], 1, _SIDE, scale)
    bottom = top - len(rows) * (_SIDE + _GAP)
    end, bottom = colour_bar(axes, (left, bottom), "pixel", scale)
    cut(figure, [(axes, max(width, end, text_width(title, TITLE) * 1.1), -bottom)])
    return figure
