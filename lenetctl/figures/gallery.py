"""A page of images with words below each."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from lenetctl.figures.style import SMALL, blank_axes, headline, new_figure, styled, text_width

# inches
_WIDTH, _SIDE = 1.35, 1.0  # of a column, and of the image in it
_LINE = 0.13
_TOP, _GAP, _MARGIN = 0.35, 0.1, 0.1
_COLUMNS = 5


@styled()
def gallery(images: NDArray[Any], captions: Sequence[Sequence[str]], title: str) -> Figure:
    """Return images (N, h, w) in lines of five, each above its lines of text; N is at least 1.

    A line that is too long for its column loses its middle.
    """
    columns = min(_COLUMNS, len(images))
    lines = -(-len(images) // columns)
    row = _SIDE + _LINE * max(map(len, captions)) + _GAP
    width, height = columns * _WIDTH + 2 * _MARGIN, _TOP + lines * row + _MARGIN
    width = max(width, text_width(title) + 4 * _MARGIN)
    figure = new_figure(width, height)
    # one pair of axes for all: each costs as much time as all the images together
    axes = blank_axes(figure)
    for number, (image, caption) in enumerate(zip(images, captions, strict=True)):
        line, column = divmod(number, columns)
        x = _MARGIN + column * _WIDTH + _WIDTH / 2
        y = height - _TOP - line * row
        extent = (x - _SIDE / 2, x + _SIDE / 2, y - _SIDE, y)
        axes.imshow(image, cmap="gray", vmin=0, vmax=255, extent=extent, interpolation="nearest")
        text = "\n".join(map(_fitted, caption))
        # at this spacing a line is `_LINE` high
        axes.text(x, y - _SIDE - 0.03, text, size=SMALL, ha="center", va="top", linespacing=1.15)
    axes.set(xlim=(0, width), ylim=(0, height))
    headline(figure, title)
    return figure


def _fitted(text: str) -> str:
    """Return `text`, with an ellipsis for its middle where the column has no room for all."""
    room, kept = _WIDTH - 0.06, len(text)
    shown = text
    while text_width(shown, SMALL) > room:
        kept -= 1
        shown = f"{text[: -(-kept // 2)]}…{text[len(text) - kept // 2 :]}"
    return shown
