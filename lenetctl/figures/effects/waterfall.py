"""What leads from one value to another, a bar a part."""

from collections.abc import Sequence
from math import isnan

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lenetctl.figures.comparison import metric_words
from lenetctl.figures.fonts import legible
from lenetctl.figures.style import (
    BLUE,
    INK,
    MUTED,
    SMALL,
    TITLE,
    VERMILLION,
    headline,
    new_figure,
    place,
    styled,
    text_width,
)

_ROW = 0.24  # inches between two bars
_PLOT = 3.4  # inches
_BAR = 0.62  # of a row
MARKS = {"^": "up", "v": "down"}

# what a part is called, how much it adds, from where to where that may be, two estimates of it
Part = tuple[str, float, tuple[float, float] | None, Sequence[float]]


@styled()
def waterfall(
    start: tuple[str, float], parts: Sequence[Part], end: tuple[str, float], metric: str, title: str
) -> Figure:
    """Return a bar for each part, beginning where the one above it ends, from `start` to `end`.

    Gains are blue and losses red; the whisker is the part's own interval, about its end; small
    triangles are the estimates of it up and down. A part that is NaN has a row and no bar.
    """
    rows = [start[0], *(name for name, *_ in parts), end[0]]
    words = [f"{start[1]:.4f}", *(_words(*part[1:3]) for part in parts), f"{end[1]:.4f}"]
    left = 0.25 + max(map(text_width, rows))
    right = 0.2 + max(text_width(word, SMALL) for word in words)
    bottom, top = 0.45, 0.4
    width = max(left + _PLOT + right, text_width(title, TITLE) + 1.6)
    height = bottom + _ROW * len(rows) + top
    figure = new_figure(width, height)
    axes = place(figure, left, bottom, _PLOT, height - bottom - top)
    axes.plot(start[1], 0, "D", color=INK, markersize=4.5, zorder=4)
    here = start[1]
    for row, (_, gain, interval, others) in enumerate(parts, 1):
        axes.plot([here, here], [row - 1, row], color=MUTED, linewidth=0.6, zorder=1)
        if isnan(gain):
            continue
        colour = BLUE if gain >= 0 else VERMILLION
        axes.barh(row, gain, _BAR, left=here, color=colour, alpha=0.75, zorder=2)
        for estimate, marker in zip(others, MARKS, strict=False):
            axes.plot(here + estimate, row, marker, color=INK, markersize=3, mew=0, zorder=4)
        if interval:
            ends = [here + bound for bound in interval]
            axes.plot(ends, [row, row], color=INK, linewidth=1, zorder=3)
            axes.plot(ends, [row, row], "|", color=INK, markersize=5, zorder=3)
        here += gain
    axes.plot([here, here], [len(rows) - 2, len(rows) - 1], color=MUTED, linewidth=0.6, zorder=1)
    axes.plot(end[1], len(rows) - 1, "D", color=INK, markersize=4.5, zorder=4)
    for row, word in enumerate(words):
        beside = axes.get_yaxis_transform()
        axes.text(1.02, row, word, transform=beside, size=SMALL, color=MUTED, va="center")
    axes.set_yticks(range(len(rows)), [legible(row) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(metric_words(metric))
    marks = [Line2D([], [], color=INK, marker=mark, markersize=3, lw=0) for mark in MARKS]
    figure.legend(marks, MARKS.values(), loc="upper right", ncols=2, handletextpad=0.1)
    headline(figure, title)
    return figure


def _words(gain: float, interval: tuple[float, float] | None) -> str:
    if isnan(gain):
        return "not known"
    return f"{gain:+.4f}" + (f" ± {(interval[1] - interval[0]) / 2:.4f}" if interval else "")
