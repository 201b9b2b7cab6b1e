"""The learned kernels of a convolution."""

from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from lenetctl.figures.style import blank_axes, cut, new_figure, styled
from lenetctl.figures.tiles import Scale, caption, colour_bar, draw_tiles, limits

_SIDE, _GAP = 0.5, 0.1  # inches
_COLUMNS = 8
_MOST = 64


@styled()
def kernels(weights: NDArray[Any]) -> Figure:
    """Return the kernels (C_out, C_in, k, k) of a convolution, blue below 0 and red above.

    They stand in the order of output channels, within one in that of input channels; of more than
    64 only the first are drawn, and the caption says so.
    """
    every = weights.reshape(-1, *weights.shape[2:])
    shown = every[:_MOST]
    largest = max(map(abs, limits(shown)))
    scale = Scale("RdBu_r", -largest, largest)
    figure = new_figure(1, 1)
    axes = blank_axes(figure)
    right, bottom = draw_tiles(axes, (0, 0), shown, _COLUMNS, _SIDE, scale)
    end, bottom = colour_bar(axes, (0, bottom - _GAP), "weight", scale)
    width = max(right, end)
    notes = [f"the first {_MOST} of {len(every)} kernels"] * (len(every) > _MOST)
    cut(figure, [(axes, width, -caption(axes, bottom, width, notes))])
    return figure
