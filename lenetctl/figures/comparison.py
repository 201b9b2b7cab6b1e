"""Many runs in one picture: curves with bands over seeds, and a ranking."""

import math
from collections.abc import Mapping, Sequence
from itertools import cycle, product

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from lenetctl.figures.fonts import legible
from lenetctl.figures.style import (
    BLUE,
    COLOURS,
    MUTED,
    SKY,
    SMALL,
    new_figure,
    place,
    styled,
    text_width,
)

_ROW = 0.2  # inches between two rows of text

Curve = tuple[int, NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]
Ranked = tuple[str, Sequence[float], float, float | None]


@styled()
def bands(curves: Mapping[str, Curve], metric: str) -> Figure:
    """Return each group's mean of `metric` over its runs, in a band of ± one standard deviation.

    Args:
        curves: for each group the number of its runs, epochs (E,), means (E,) and standard
            deviations (E,). NaN where there is none: a group of one run has no band.
        metric: what the means are of, such as `test/accuracy`.

    """
    labels = {name: f"{name} (n = {n})" for name, (n, *_) in curves.items()}
    legend = 0.55 + max(map(text_width, labels.values()), default=0.0)
    left, plot, bottom = 0.6, 3.9, 0.45
    width, height = left + plot + legend + 0.1, max(3.0, _ROW * len(curves) + 0.5)
    figure = new_figure(width, height)
    axes = place(figure, left, bottom, plot, height - bottom - 0.1)
    lines = []
    looks = cycle((colour, dash) for dash, colour in product(("-", "--", ":", "-."), COLOURS))
    for (name, curve), (colour, dash) in zip(curves.items(), looks, strict=False):
        _, epochs, mean, std = curve
        marker = "o" if len(epochs) == 1 else ""
        (line,) = axes.plot(epochs, mean, dash, color=colour, marker=marker, label=labels[name])
        if np.isfinite(std).any():
            axes.fill_between(epochs, mean - std, mean + std, color=colour, alpha=0.18, lw=0)
        known = mean[np.isfinite(mean)]
        lines.append((known[-1] if known.size else -math.inf, line))
    lines.sort(key=lambda line: -line[0])  # the order in which the curves end, from the top
    figure.legend(
        handles=[line for _, line in lines],
        loc="center left",
        bbox_to_anchor=((left + plot) / width, (bottom + height - 0.1) / 2 / height),
    )
    axes.set(xlabel="epoch", ylabel=metric_words(metric))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10, min_n_ticks=1))
    return figure


@styled()
def ranked(rows: Sequence[Ranked], metric: str) -> Figure:
    """Return a dot plot, the first row on top: every seed's value small, mean ± deviation large.

    Args:
        rows: a label, the values of its seeds, their mean and standard deviation, None of one.
        metric: what the values are, such as `test/accuracy`.

    """
    words = [_numbers(*row[1:]) for row in rows]
    left = 0.25 + max((text_width(label) for label, *_ in rows), default=0.0)
    right = 0.2 + max((text_width(numbers, SMALL) for numbers in words), default=0.0)
    plot, bottom = 3.2, 0.45
    width, height = left + plot + right, bottom + _ROW * max(len(rows), 2) + 0.1
    figure = new_figure(width, height)
    axes = place(figure, left, bottom, plot, height - bottom - 0.1)
    for rank, ((_, values, mean, std), numbers) in enumerate(zip(rows, words, strict=True)):
        if std is not None:
            axes.errorbar(mean, rank, xerr=std, color=BLUE, elinewidth=1.2, capsize=2, zorder=2)
        seeds = [rank] * len(values)
        axes.plot(values, seeds, "o", color=SKY, markersize=3, markeredgewidth=0, zorder=3)
        axes.plot(mean, rank, "D", color=BLUE, markersize=4.5, zorder=4)
        axes.text(
            1.02,
            rank,
            numbers,
            transform=axes.get_yaxis_transform(),
            size=SMALL,
            color=MUTED,
            va="center",
        )
    axes.set_yticks(range(len(rows)), [legible(label) for label, *_ in rows])
    axes.set_ylim(max(len(rows), 2) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(metric_words(metric))
    return figure


def _numbers(values: Sequence[float], mean: float, std: float | None) -> str:
    spread = "" if std is None else f" ± {std:.4f}"
    return f"{mean:.4f}{spread} (n = {len(values)})"


def metric_words(metric: str) -> str:
    """Return a metric's name as an axis has it."""
    words = metric.replace("/", " ").replace("_", " ")
    return f"{words} (nats)" if words.endswith("loss") else words
