"""The book's figure: one run's loss and accuracies over its epochs."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from lenetctl.figures.style import (
    BLUE,
    GREEN,
    INK,
    PURPLE,
    SMALL,
    VERMILLION,
    headline,
    new_figure,
    place,
    styled,
)

Epochs = Sequence[Mapping[str, float]]

# key, the book's words, and a look that a grey print still tells apart
_Curve = tuple[str, str, dict[str, Any]]
_LOSS: _Curve = ("train/loss", "train loss", {"color": VERMILLION, "marker": "o"})
_ACCURACIES: tuple[_Curve, ...] = (
    ("train/accuracy", "train acc", {"color": BLUE, "ls": "--", "marker": "s"}),
    ("validation/accuracy", "validation acc", {"color": PURPLE, "ls": "-.", "marker": "D"}),
    # a ring, which is seen around the marks of equal values
    (
        "test/accuracy",
        "test acc",
        {"color": GREEN, "ls": ":", "marker": "o", "mfc": "none", "ms": 5},
    ),
)
_INTERVALS = 5  # of both axes, so that one grid serves the two
_ALL_MARKED = 25  # epochs


def series(epochs: Epochs, key: str) -> NDArray[np.float64]:
    """Return one number per epoch, NaN where `key` is missing."""
    return np.array([epoch.get(key, math.nan) for epoch in epochs], dtype=np.float64)


@styled()
def curves(epochs: Epochs, title: str = "") -> Figure:
    """Return train loss (left axis) and the accuracies there are (right axis) over the epochs.

    Args:
        epochs: per epoch `epoch` and any of `train/loss`, `train/accuracy`, `test/accuracy`,
            `validation/accuracy`; losses in nats, accuracies as fractions.
        title: stands above the picture.

    """
    figure = new_figure(4.8, 3.08 if title else 2.82)
    loss_axes = place(figure, 0.54, 0.42, 3.7, 2.1)
    accuracy_axes = loss_axes.twinx()
    numbers = series(epochs, "epoch")
    lines = []
    for axes, (key, words, own) in (
        (loss_axes, _LOSS),
        *((accuracy_axes, curve) for curve in _ACCURACIES),
    ):
        values = series(epochs, key)
        known = np.isfinite(values)
        if not known.any():
            continue
        padded = np.pad(known, 1)
        alone = known & ~padded[:-2] & ~padded[2:]  # no line leads to or from such a point
        marked = alone | (len(epochs) <= _ALL_MARKED)
        label = f"{words} {values[known][-1]:#.3g}"
        look = {"ms": 3, "clip_on": False, **own}  # not clipped: marks on the frame are whole
        lines += axes.plot(numbers, values, **look, markevery=marked.tolist(), label=label)
    headline(figure, title)
    if lines:
        loss_axes.legend(
            handles=lines,
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=len(lines),
            fontsize=SMALL,
            handlelength=2.4,
            handletextpad=0.5,
            columnspacing=1.0,
        )

    top = _nice_top(series(epochs, "train/loss"))
    loss_axes.set(ylim=(0, top), yticks=np.linspace(0, top, _INTERVALS + 1))
    accuracy_axes.set(ylim=(0, 1), yticks=np.linspace(0, 1, _INTERVALS + 1))
    accuracy_axes.grid(visible=False)
    loss_axes.set_xlabel("epoch")
    loss_axes.set_ylabel("loss (nats)", color=VERMILLION)
    accuracy_axes.set_ylabel("accuracy", color=INK)
    loss_axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10, min_n_ticks=1))
    if len(epochs) == 1:
        loss_axes.set_xlim(numbers[0] - 0.5, numbers[0] + 0.5)
    return figure


def _nice_top(losses: NDArray[np.float64]) -> float:
    """Return the round number, five round steps from 0, that the largest loss stays below."""
    largest = np.max(losses, initial=0.0, where=np.isfinite(losses))
    if largest <= 0:
        return 1.0
    step = largest * 1.02 / _INTERVALS
    power: float = 10.0 ** math.floor(math.log10(step))
    return _INTERVALS * power * next(n for n in (1, 2, 3, 4, 5, 6, 8, 10) if n * power >= step)
