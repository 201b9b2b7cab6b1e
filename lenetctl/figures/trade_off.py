"""What accuracy costs: nets by their size, and the Pareto front."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullFormatter

from lenetctl.figures.comparison import metric_words
from lenetctl.figures.style import (
    BLUE,
    COLOURS,
    MUTED,
    VERMILLION,
    headline,
    new_figure,
    place,
    styled,
    text_width,
)

_PLOT, _HEIGHT = 2.6, 2.6  # inches
_ROW = 0.18  # inches of the legend
_DOT: Any = {"color": MUTED, "markersize": 3.5, "mew": 0, "alpha": 0.7}


@styled()
def trade_off(
    points: Sequence[tuple[int, int, float]], metric: str, title: str, names: Sequence[str] = ()
) -> Figure:
    """Return accuracy against the size of the net, the Pareto front of each panel as a line.

    Diamonds are the nets on one front or the other.

    Args:
        points: parameters, multiply-accumulates of one image, and accuracy of each net.
        metric: what the accuracy is, such as `validation/accuracy`.
        title: above both panels.
        names: of the nets; those on a front stand in a legend, the best first.

    """
    panels = [[(point[panel], point[2]) for point in points] for panel in range(2)]
    fronts = [pareto_front(pairs) for pairs in panels]
    best_first = sorted(range(len(points)), key=lambda n: -points[n][2])
    on_front = [n for n in best_first if any(panels[i][n] in fronts[i] for i in range(2))]
    legend = 0.5 + max(text_width(names[n]) for n in on_front) if names else 0.2
    left, bottom, gap, top = 0.75, 0.5, 0.3, 0.4
    height = max(_HEIGHT, _ROW * len(on_front) if names else 0)
    figure = new_figure(left + 2 * _PLOT + gap + legend, bottom + height + top)
    for panel, label in enumerate(("parameters", "multiply-accumulates of an image")):
        axes = place(figure, left + panel * (_PLOT + gap), bottom, _PLOT, height)
        axes.plot(*zip(*panels[panel], strict=True), "o", **_DOT)
        axes.plot(*zip(*fronts[panel], strict=True), "-", color=BLUE, drawstyle="steps-post", lw=1)
        for n, colour in zip(on_front, cycle(COLOURS if names else [VERMILLION]), strict=False):
            named = names[n] if names else None
            axes.plot(*panels[panel][n], "D", color=colour, markersize=4, label=named)
        axes.set_xscale("log")
        plain_decades(axes)
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))  # 60k, 1.5M
        axes.set_xlabel(label)
        axes.tick_params(labelleft=panel == 0)
    if names:
        figure.legend(handles=figure.axes[0].lines[2:], loc="center right")
    figure.axes[0].set_ylabel(metric_words(metric))
    figure.axes[1].sharey(figure.axes[0])
    headline(figure, title)
    return figure


def plain_decades(axes: Axes) -> None:
    """Label logarithmic axes with plain numbers: the house style knows no formulas."""
    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "log":
            low, high = axis.get_view_interval()
            few = high < 100 * low  # less than two decades
            in_one = high < 10 * low
            locator = MaxNLocator(4) if in_one else LogLocator(subs=(1, 2, 5) if few else (1,))
            axis.set_major_locator(locator)
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter(NullFormatter())


def pareto_front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points, the cheapest first, that no point beats: none is cheaper and as good."""
    front: list[tuple[float, float]] = []
    for cost, score in sorted(points, key=lambda point: (point[0], -point[1])):
        if not front or score > front[-1][1]:
            front.append((cost, score))
    return front
