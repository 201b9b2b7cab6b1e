"""A search in pictures: those of Optuna's matplotlib module, and what accuracy costs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from lenetctl.figures.comparison import metric_words
from lenetctl.figures.style import BLUE, MUTED, VERMILLION, headline, new_figure, place, styled

if TYPE_CHECKING:
    from optuna import Study

_PLOT, _HEIGHT = 2.6, 2.6  # inches


@styled()
def study_pictures(study: Study) -> dict[str, Figure]:
    """Return Optuna's own pictures of a study by their names, but for those it cannot draw."""
    from optuna.visualization import matplotlib as drawing  # noqa: PLC0415  a second

    draw: dict[str, Callable[[Study], Any]] = {
        "history": drawing.plot_optimization_history,
        "importances": drawing.plot_param_importances,
        "slices": drawing.plot_slice,
        "parallel-coordinates": drawing.plot_parallel_coordinate,
    }
    pictures: dict[str, Any] = {}
    plt.switch_backend("agg")  # Optuna draws with pyplot: no window is to open
    with warnings.catch_warnings(action="ignore"):  # it calls the module experimental
        for name, function in draw.items():
            with suppress(ValueError, RuntimeError, ZeroDivisionError):
                drawn = function(study)
                first = drawn if isinstance(drawn, Axes) else drawn.flat[0]
                pictures[name] = first.figure
                for axes in first.figure.axes:
                    plain_decades(axes)
    plt.close("all")
    return pictures


@styled()
def trade_off(points: Sequence[tuple[int, int, float]], metric: str, title: str) -> Figure:
    """Return accuracy against the size of the net, the Pareto front of each panel as a line.

    Args:
        points: parameters, multiply-accumulates of one image, and accuracy of each trial.
        metric: what the accuracy is, such as `validation/accuracy`.
        title: above both panels.

    """
    left, bottom, gap, top = 0.6, 0.5, 0.3, 0.4
    figure = new_figure(left + 2 * _PLOT + gap + 0.2, bottom + _HEIGHT + top)
    for panel, name in enumerate(("parameters", "multiply-accumulates of an image")):
        axes = place(figure, left + panel * (_PLOT + gap), bottom, _PLOT, _HEIGHT)
        pairs = [(point[panel], point[2]) for point in points]
        axes.plot(*zip(*pairs, strict=True), "o", color=MUTED, markersize=3.5, mew=0, alpha=0.7)
        front = pareto_front(pairs)
        axes.plot(*zip(*front, strict=True), "-", color=BLUE, drawstyle="steps-post", lw=1)
        axes.plot(*zip(*front, strict=True), "D", color=VERMILLION, markersize=4)
        axes.set_xscale("log")
        plain_decades(axes)
        axes.set_xlabel(name)
        axes.tick_params(labelleft=panel == 0)
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
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter(NullFormatter())


def pareto_front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points, the cheapest first, that no point beats: none is cheaper and as good."""
    front: list[tuple[float, float]] = []
    for cost, score in sorted(points, key=lambda point: (point[0], -point[1])):
        if not front or score > front[-1][1]:
            front.append((cost, score))
    return front
