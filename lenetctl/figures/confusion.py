"""The confusion matrix: which class is taken for which."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lenetctl.figures.style import INK, SMALL, TEXT, headline, new_figure, styled, text_width

_CELL = 0.38  # inches; holds five digits


@styled()
def confusion_matrix(
    matrix: NDArray[np.integer], classes: Sequence[str], title: str = ""
) -> Figure:
    """Return counts written into cells, coloured by the fraction of their row.

    Args:
        matrix: (K, K) counts; rows are the true class, columns the predicted one.
        classes: K names.
        title: stands above the picture.

    """
    side = _CELL * len(classes)
    names = max(text_width(name) for name in classes)
    left, bottom = names + 0.45, 0.72 * names + 0.45  # names below stand at 45 degrees
    width, height = left + side + 0.75, bottom + side + (0.4 if title else 0.1)
    figure = new_figure(width, height)
    headline(figure, title)
    axes = figure.add_axes((left / width, bottom / height, side / width, side / height))

    fractions = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        dark = fractions[row, column] > 0.55
        colour = "white" if dark else INK if count else "#b0b0b0"
        axes.text(column, row, str(count), color=colour, size=SMALL, ha="center", va="center")

    ticks = range(len(classes))
    axes.set_xticks(ticks, classes, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, classes)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted class", size=TEXT)
    axes.set_ylabel("true class", size=TEXT)

    bar = figure.add_axes(((left + side + 0.12) / width, bottom / height, 0.1 / width, side / height))
    figure.colorbar(image, cax=bar, label="fraction of the true class", ticks=[0, 0.5, 1])
    return figure
