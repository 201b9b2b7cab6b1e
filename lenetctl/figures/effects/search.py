"""A search in pictures: those of Optuna's matplotlib module."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lenetctl.figures.style import styled
from lenetctl.figures.trade_off import plain_decades

if TYPE_CHECKING:
    from optuna import Study


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
