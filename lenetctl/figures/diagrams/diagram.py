"""The chapter's two pictures of a net, for any list of layers: no torch, only shapes."""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lenetctl.figures.diagrams.compact import draw_compact
from lenetctl.figures.diagrams.flow import draw_flow
from lenetctl.figures.diagrams.operations import Operation, operations
from lenetctl.figures.style import blank_axes, cut, new_figure, styled
from lenetctl.specs import Layer


def diagram(layers: Sequence[Layer]) -> Figure:
    """Return both pictures side by side."""
    return _picture(layers, draw_flow, draw_compact)


def flow(layers: Sequence[Layer]) -> Figure:
    """Return the data-flow picture: maps to scale as stacks of squares, dense layers as bars."""
    return _picture(layers, draw_flow)


def compact(layers: Sequence[Layer]) -> Figure:
    """Return the compressed notation: one box per operation, from the image up to the output."""
    return _picture(layers, draw_compact)


@styled()
def _picture(
    layers: Sequence[Layer], *drawings: Callable[[Axes, Sequence[Operation]], tuple[float, float]]
) -> Figure:
    figure = new_figure(1, 1)
    drawn = []
    for draw in drawings:
        axes = blank_axes(figure)
        drawn.append((axes, *draw(axes, operations(layers))))
    cut(figure, drawn)
    return figure
