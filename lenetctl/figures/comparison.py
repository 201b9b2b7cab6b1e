"""Many runs in one picture: curves with bands over seeds, and a ranking."""

import math
from collections.abc import Mapping, Sequence
from itertools import cycle, islice, product

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
_KEY = "dot: a seed; diamond and bar: mean ± standard deviation"
MOST_CURVES, MOST_ROWS = 14, 40  # drawn; of more the rest is counted
_FAR_OUT = 10  # median deviations from the median, beyond which a value does not set the axis

Curve = tuple[int, NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]
Ranked = tuple[str, Sequence[float], float, float | None]


@styled()
def bands(curves: Mapping[str, Curve], metric: str) -> Figure:
    """Return each group's mean of `metric` over its runs, in a band of ± one standard deviation.

    Of many groups the first are drawn. Values far from all others do not squeeze these.

    Args:
        curves: for each group the number of its runs, epochs (E,), means (E,) and standard
            deviations (E,). NaN where there is none: a group of one run has no band.
        metric: what the means are of, such as `test/accuracy`.

    """
    rest = len(curves) - MOST_CURVES
    curves = dict(islice(curves.items(), MOST_CURVES))
    labels = {name: f"{name} (n = {n})" for name, (n, *_) in curves.items()}
    legend = 0.55 + max(map(text_width, labels.values()), default=0.0)
    left, plot, bottom = 0.6, 3.9, 0.45
    width, height = left + plot + legend + 0.1, max(3.0, _ROW * len(curves) + 0.5)
    figure = new_figure(width, height)
    axes = place(figure, left, bottom, plot, height - bottom - 0.1)
    faint = min(0.18, 0.7 / max(1, len(curves)))  # bands of many groups lie over each other
    lines = []
    means: list[float] = []
    looks = cycle((colour, dash) for dash, colour in product(("-", "--", ":", "-."), COLOURS))
    for (name, curve), (colour, dash) in zip(curves.items(), looks, strict=False):
        _, epochs, mean, std = curve
        marker = "o" if len(epochs) == 1 else ""
        (line,) = axes.plot(epochs, mean, dash, color=colour, marker=marker, label=labels[name])
        if np.isfinite(std).any():
            axes.fill_between(epochs, mean - std, mean + std, color=colour, alpha=faint, lw=0)
        known = mean[np.isfinite(mean)]
        means += known.tolist()
        lines.append((known[-1] if known.size else -math.inf, line))
    lines.sort(key=lambda line: -line[0])  # the order in which the curves end, from the top
    figure.legend(
        handles=[line for _, line in lines],
        title=f"the first {MOST_CURVES} of {rest + MOST_CURVES}" if rest > 0 else None,
        title_fontsize=SMALL,
        loc="center left",
        bbox_to_anchor=((left + plot) / width, (bottom + height - 0.1) / 2 / height),
    )
    axes.set(xlabel="epoch", ylabel=metric_words(metric), ylim=_limits([*means], axes.get_ylim()))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10, min_n_ticks=1))
    return figure


@styled()
def ranked(rows: Sequence[Ranked], metric: str, epoch: str = "") -> Figure:
    """Return a dot plot, the first row on top: every seed's value small, mean ± deviation large.

    Of many rows the first are drawn. What is far from all others, such as a net that has not
    learned, stands at the edge as an arrow, and does not squeeze these.

    Args:
        rows: a label, the values of its seeds, their mean and standard deviation, None of one.
        metric: what the values are, such as `test/accuracy`.
        epoch: of which epoch they are, in words.

    """
    every, rows = len(rows), rows[:MOST_ROWS]
    words = [_numbers(*row[1:]) for row in rows]
    left = 0.25 + max((text_width(label) for label, *_ in rows), default=0.0)
    right = 0.2 + max((text_width(numbers, SMALL) for numbers in words), default=0.0)
    plot, bottom = 3.2, 0.75 if every > len(rows) else 0.6
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
    low, high = _limits([value for _, values, *_ in rows for value in values], axes.get_xlim())
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
    for rank, (_, _, mean, _) in enumerate(rows):
        if not low <= mean <= high:
            inset = 0.015 * (high - low)
            edge, arrow = (low + inset, "<") if mean < low else (high - inset, ">")
            axes.plot(edge, rank, arrow, color=BLUE, markersize=5, zorder=4)
    lines = [", ".join(filter(None, (metric_words(metric), epoch))), _KEY]
    if every > len(rows):
        lines.append(f"the first {len(rows)} of {every} groups")
    axes.set_xlabel("\n".join(lines))
    return figure


def _limits(values: Sequence[float], around: tuple[float, float]) -> tuple[float, float]:
    """Return `around`, the limits of an axis, without the room for values far from all others."""
    known = np.array([value for value in values if math.isfinite(value)])
    if not known.size:
        return around
    away = np.abs(known - np.median(known))
    usual = known[away <= _FAR_OUT * np.median(away)]
    if usual.size == known.size or not np.ptp(usual):
        return around
    margin = 0.05 * np.ptp(usual)
    low, high = usual.min() - margin, usual.max() + margin
    return max(low, around[0]), min(high, around[1])


def _numbers(values: Sequence[float], mean: float, std: float | None) -> str:
    spread = "" if std is None else f" ± {std:.4f}"
    return f"{mean:.4f}{spread} (n = {len(values)})"


def metric_words(metric: str) -> str:
    """Return a metric's name as an axis has it."""
    words = metric.replace("/", " ").replace("_", " ")
    return f"{words} (nats)" if words.endswith("loss") else words
