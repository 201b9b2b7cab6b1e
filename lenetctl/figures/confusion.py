"""The confusion matrix: which class is taken for which."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lenetctl.figures.style import (
    INK,
    MUTED,
    SMALL,
    headline,
    new_figure,
    place,
    styled,
    text_width,
)

_CELL = 0.38  # inches; holds five digits


@styled()
def confusion_matrix(
    matrix: NDArray[np.integer], classes: Sequence[str], title: str = ""
) -> Figure:
    """Return the counts written into cells, which are coloured by their fraction of the row.

    Args:
        matrix: (K, K) counts; rows are the true class, columns the predicted one.
        classes: K names.
        title: stands above the picture.

    """
    side = _CELL * len(classes)
    names = max(text_width(name) for name in classes)
    slanted = names > _CELL
    left = names + 0.38
    bottom = (0.72 * names if slanted else 0.1) + 0.58
    figure = new_figure(left + side + 0.12, bottom + side + (0.38 if title else 0.1))
    headline(figure, title)

    axes = place(figure, left, bottom, side, side)
    fractions = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        colour = "white" if fractions[row, column] > 0.55 else INK if count else "#a8a8a8"
        # the figure's and not the axes' text, which would cost as much again to clip
        figure.text(
            column,
            row,
            str(count),
            transform=axes.transData,
            color=colour,
            size=SMALL,
            ha="center",
            va="center",
        )

    ticks = range(len(classes))
    slant: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(ticks, classes, **(slant if slanted else {}))
    axes.set_yticks(ticks, classes)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="predicted class", ylabel="true class")

    # a line of words instead of a colour bar, which would be a fifth of the time of the picture
    note = "colour: fraction of the true class, 0 white to 1 dark"
    width, height = figure.get_size_inches()
    figure.text(
        (left + side) / width, 0.1 / height, note, size=SMALL, color=MUTED, ha="right", va="bottom"
    )
    return figure
