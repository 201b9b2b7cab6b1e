"""What the tests of pictures share: a drawn figure, and whether its texts keep apart."""

from itertools import combinations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from lenetctl.figures.style import DPI, styled


@pytest.fixture
def rendered():
    """Draw a figure, so that the extents of what is on it are known."""

    def draw(figure: Figure) -> None:
        with styled():
            figure.set_dpi(DPI)
            FigureCanvasAgg(figure).draw()

    return draw


@pytest.fixture
def assert_tidy(rendered):
    """Fail where two texts of a figure overlap, or one leaves the paper."""

    def check(figure: Figure) -> None:
        rendered(figure)
        boxes = [(text, text.get_window_extent()) for text in shown(figure) if text.get_text()]
        assert boxes
        paper = figure.bbox.padded(1)
        for text, box in boxes:
            assert paper.contains(box.x0, box.y0), text
            assert paper.contains(box.x1, box.y1), text
        level = [(text, box) for text, box in boxes if text.get_rotation() % 90 == 0]
        for (text, box), (other, its) in combinations(level, 2):
            apart = box.x1 <= its.x0 or its.x1 <= box.x0 or box.y1 <= its.y0 or its.y1 <= box.y0
            assert apart, (text, other)

    return check


def shown(figure: Figure) -> list[Text]:
    """Return the texts of a drawn figure; an axis also keeps labels beyond its ends."""
    texts = list(figure.texts)
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    texts += [text for legend in legends if legend for text in legend.get_texts()]
    for axes in figure.axes:
        texts += axes.texts
        for axis in (axes.xaxis, axes.yaxis) if axes.axison else ():
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            labels = [label for tick in ticks for label in (tick.label1, tick.label2)]
            texts += [text for text in (axis.label, *labels) if text.get_visible()]
    return texts
