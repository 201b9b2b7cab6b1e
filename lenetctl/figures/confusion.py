"""The confusion matrix: which class is taken for which."""

from collections.abc import Sequence
from functools import partial
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lenetctl.figures.fonts import legible
from lenetctl.figures.style import (
    INK,
    MUTED,
    SMALL,
    headline,
    new_figure,
    place,
    styled,
    text_width,
    without_frame,
)

_CELL = 0.38  # inches; holds five digits
_LINE = 0.15  # inches


@styled()
def confusion_matrix(
    matrix: NDArray[np.integer], classes: Sequence[str], title: str = ""
) -> Figure:
    """Return the counts written into cells, which are coloured by their fraction of the row.

    Args:
        matrix: (K, K) counts; rows are the true class, columns the predicted one. Another column
            counts the images whose prediction is no class.
        classes: K names. Where no font has their letters, numbers stand for them in the picture,
            and a legend below it has the codes of the letters.
        title: stands above the picture.

    """
    legend: list[str] = []
    if [legible(name) for name in classes] != list(classes):
        legend = [f"{number} {legible(name)}" for number, name in enumerate(classes)]
        classes = [str(number) for number in range(len(classes))]
    columns = [*classes, "none"][: matrix.shape[1]]
    side, across = _CELL * len(classes), _CELL * len(columns)
    names = max(text_width(name) for name in columns)
    slanted = names > _CELL
    left = names + 0.38
    note = "colour: fraction of the true class, 0 white to 1 dark"
    width = max(left + across + 0.12, text_width(note, SMALL) + 0.24)
    notes = [*_lines(", ".join(legend), width - 0.24), note]
    below = (0.72 * names if slanted else 0.1) + 0.18  # inches from the cells to "predicted class"
    bottom = below + 0.4 + _LINE * (len(notes) - 1)
    figure = new_figure(width, bottom + side + (0.38 if title else 0.1))
    headline(figure, title)

    axes = place(figure, left, bottom, across, side)
    without_frame(axes)
    fractions = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    # the figure's and not the axes' text, which would cost as much again to clip
    write = partial(figure.text, transform=axes.transData, ha="center", va="center")
    for (row, column), count in np.ndenumerate(matrix):
        if count:
            colour = "white" if fractions[row, column] > 0.55 else INK
            write(column, row, str(count), color=colour, size=SMALL)
    end = len(classes) - 0.5
    slant: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    for column, name in enumerate(columns):
        write(column, end + 0.15, name, va="top", **(slant if slanted else {}))
    for row, name in enumerate(classes):
        write(-0.65, row, name, ha="right")
    write((len(columns) - 1) / 2, end + below / _CELL, "predicted class")
    write(-0.5 - (left - 0.15) / _CELL, end / 2 - 0.25, "true class", rotation=90)

    # a line of words instead of a colour bar, which would be a fifth of the time of the picture
    _, height = figure.get_size_inches()
    for line, text in enumerate(reversed(notes)):
        up = (0.1 + _LINE * line) / height
        figure.text(1 - 0.12 / width, up, text, size=SMALL, color=MUTED, ha="right", va="bottom")
    return figure


def _lines(text: str, width: float) -> list[str]:
    """Return `text` in lines of at most `width` inches, near enough."""
    return wrap(text, max(1, int(len(text) * width / text_width(text, SMALL)))) if text else []
