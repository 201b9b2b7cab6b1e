"""Many runs in one picture: curves with bands over seeds, and a ranking."""

import math
from collections.abc import Mapping, Sequence
from itertools import cycle, product
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from lenetctl.figures.curves import Epochs, series
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


@styled()
def bands(groups: Mapping[str, Sequence[Epochs]], metric: str) -> Figure:
    """Return each group's mean of `metric` over its seeds, in a band of ± one standard deviation.

    Args:
        groups: the runs of each group, each a list of epochs as for `curves`. A group of one run
            has no band; where runs differ in length, each epoch counts the runs that reached it.
        metric: a key of the epochs, such as `test/accuracy`.

    """
    labels = {name: f"{name} (n = {len(runs)})" for name, runs in groups.items()}
    legend = 0.55 + max(map(text_width, labels.values()), default=0.0)
    left, plot, bottom = 0.6, 3.9, 0.45
    width, height = left + plot + legend + 0.1, max(3.0, _ROW * len(groups) + 0.5)
    figure = new_figure(width, height)
    axes = place(figure, left, bottom, plot, height - bottom - 0.1)
    lines = []
    looks = cycle((colour, dash) for dash, colour in product(("-", "--", ":", "-."), COLOURS))
    for (name, runs), (colour, dash) in zip(groups.items(), looks, strict=False):
        epochs, values = _by_epoch(runs, metric)
        mean, std = _moments(values)
        marker = "o" if len(epochs) == 1 else ""
        (line,) = axes.plot(epochs, mean, dash, color=colour, marker=marker, label=labels[name])
        if np.isfinite(std).any():
            axes.fill_between(epochs, mean - std, mean + std, color=colour, alpha=0.18, lw=0)
        known = mean[np.isfinite(mean)]
        lines.append((known[-1] if known.size else -math.inf, line))
    lines.sort(key=lambda one: -one[0])  # the order in which the curves end, from the top
    figure.legend(
        handles=[line for _, line in lines],
        loc="center left",
        bbox_to_anchor=((left + plot) / width, (bottom + height - 0.1) / 2 / height),
    )
    axes.set(xlabel="epoch", ylabel=_words(metric))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10, min_n_ticks=1))
    return figure


@styled()
def ranked(rows: Sequence[tuple[str, Sequence[float]]], metric: str) -> Figure:
    """Return a dot plot, best row first: every seed's value small, mean ± deviation large.

    Args:
        rows: a label and the values of its seeds; values that are not finite are left out.
        metric: what the values are, such as `best/test/accuracy`; of losses and seconds the
            lowest is best.

    """
    sign = 1 if metric.endswith(("loss", "seconds")) else -1
    table = [_row(label, values) for label, values in rows]
    table.sort(key=lambda row: sign * row.mean if row.values.size else math.inf)

    left = 0.25 + max((text_width(row.label) for row in table), default=0.0)
    right = 0.2 + max((text_width(row.words, SMALL) for row in table), default=0.0)
    plot, bottom = 3.2, 0.45
    width, height = left + plot + right, bottom + _ROW * max(len(table), 2) + 0.1
    figure = new_figure(width, height)
    axes = place(figure, left, bottom, plot, height - bottom - 0.1)
    for rank, row in enumerate(table):
        if row.values.size > 1:
            axes.errorbar(
                row.mean, rank, xerr=row.std, color=BLUE, elinewidth=1.2, capsize=2, zorder=2
            )
        seeds = [rank] * row.values.size
        axes.plot(row.values, seeds, "o", color=SKY, markersize=3, markeredgewidth=0, zorder=3)
        axes.plot(row.mean, rank, "D", color=BLUE, markersize=4.5, zorder=4)
        axes.text(
            1.02,
            rank,
            row.words,
            transform=axes.get_yaxis_transform(),
            size=SMALL,
            color=MUTED,
            va="center",
        )
    axes.set_yticks(range(len(table)), [row.label for row in table])
    axes.set_ylim(max(len(table), 2) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(_words(metric))
    return figure


class _Row(NamedTuple):
    label: str
    values: NDArray[np.float64]
    mean: float
    std: float
    words: str


def _row(label: str, values: Sequence[float]) -> _Row:
    every = np.array(values, dtype=np.float64)
    finite = every[np.isfinite(every)]
    (mean,), (std,) = _moments(finite[:, None])
    n = finite.size
    words = f"{mean:.4f} ± {std:.4f} (n = {n})" if n > 1 else f"{mean:.4f} (n = 1)"
    return _Row(label, finite, mean, std, words if n else "no value")


def _by_epoch(
    runs: Sequence[Epochs], metric: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the epochs (E,) and the values (runs, E), NaN where a run has none."""
    numbers = [series(run, "epoch") for run in runs]
    epochs = np.unique(np.concatenate([*numbers, np.empty(0)]))
    values = np.full((len(runs), len(epochs)), math.nan)
    for row, run, own in zip(values, runs, numbers, strict=True):
        row[np.searchsorted(epochs, own)] = series(run, metric)
    return epochs, values


def _moments(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and sample standard deviation of each column's finite values, else NaN."""
    known = np.isfinite(values)
    n = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, values, 0).sum(axis=0) / n
        squares = np.where(known, (values - mean) ** 2, 0).sum(axis=0)
        return mean, np.sqrt(squares / np.maximum(n - 1, 0))  # 0 / 0 is NaN


def _words(metric: str) -> str:
    words = metric.replace("/", " ").replace("_", " ")
    return f"{words} (nats)" if words.endswith("loss") else words
