"""The data-flow picture (the chapter's Fig. 6.6.1): what each operation leaves, drawn to scale.

Feature maps are stacks of squares, dense layers are bars. All lengths are in inches.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from lenetctl.figures.diagrams.operations import Operation
from lenetctl.figures.style import ARROW, INK, MUTED, SMALL, TEXT, VERMILLION, text_width

_LARGEST = 0.95  # side of the largest map
_TALLEST = 1.25  # bar of the widest dense layer
_BAR = 0.14  # a bar's width
_SHEET = 0.03  # from one square of a stack to the next
_MOST_SHEETS = 20  # of more channels only the label tells
_GAP = 0.34  # between neighbours
_APART = 0.1  # between two texts
_LINE = 0.145  # of text
_ROW_WIDTH = 9.0
_ROW_GAP = 0.2


class _Item:
    """A stack or a bar: the numbers that `step` leaves."""

    def __init__(self, step: Operation, scale: float) -> None:
        """Measure; `scale` is inches per pixel of a map, or per square root of a bar's units."""
        count, *sides = step.shape
        self.step = step
        self.scale = scale
        self.sheets = min(count, _MOST_SHEETS) if sides else 1
        self.side = scale * (sides[0] if sides else math.sqrt(count))
        self.front = (
            scale * sides[1] if sides else _BAR
        )  # width of the foremost sheet, or of the bar
        depth = _SHEET * (self.sheets - 1)
        self.width, self.height = self.front + depth, self.side + depth
        self.left = 0.0  # where `_rows` puts it

        size = "×".join(map(str, sides))
        self.label = f"{count}@{size}" if size else str(count)
        if step.kind == "image":
            self.label = f"image {size}"
        # below the arrow that leads here, each line with its colour, in the order of doing
        self.words = [
            *((line, MUTED) for line in step.before),
            *((line, INK) for line in step.style.flow.splitlines()),
            *((line, MUTED) for line in (*step.options, *step.after)),
        ]

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def overhang(self) -> float:
        """How far the label reaches beyond each side."""
        return max(0.0, (text_width(self.label) - self.width) / 2)


def draw_flow(axes: Axes, steps: Sequence[Operation]) -> tuple[float, float]:
    """Draw from the origin of `axes` to the right and down; return the width and height taken."""
    width = y = 0.0
    for number, row in enumerate(_rows(_items(steps))):
        y -= _ROW_GAP * (number > 0)
        tallest = max(item.height for item in row)
        middle = y - _LINE - 0.06 - tallest / 2
        words = middle - tallest / 2 - 0.12
        for before, item in zip([None, *row[:-1]], row, strict=True):
            _draw_item(axes, item, middle)
            if item.step.kind != "image":
                _draw_words(axes, before, item, words)
                _draw_way(axes, before, item, middle)
        width = max(width, row[-1].right + row[-1].overhang)
        y = words - _LINE * max(len(item.words) for item in row)
    return width, -y


def _items(steps: Sequence[Operation]) -> list[_Item]:
    widest = max(step.shape[1] for step in steps if len(step.shape) == 3)
    most = max(step.shape[0] for step in steps if len(step.shape) == 1)
    pixel, unit = _LARGEST / widest, _TALLEST / math.sqrt(most)
    return [_Item(step, unit if len(step.shape) == 1 else pixel) for step in steps]


def _rows(items: Sequence[_Item]) -> list[list[_Item]]:
    """Place the items from the left, in as many rows as they need."""
    first = items[0]
    first.left = first.overhang
    rows = [[first]]
    for before, item in pairwise(items):
        item.left = before.right + _gap(before, item)
        if item.right + item.overhang > _ROW_WIDTH:
            item.left = _gap(None, item)
            rows.append([])
        rows[-1].append(item)
    return rows


def _gap(before: _Item | None, item: _Item) -> float:
    """Return the room between two items, or in front of a row, that lets no texts touch.

    Words may reach below half of the narrower neighbour; the labels above are shorter than words.
    """
    words = max(text_width(line, SMALL) for line, _ in item.words) + _APART
    below = min(before.width, item.width) if before else 0.0
    return max(_GAP, words - below)


def _draw_item(axes: Axes, item: _Item, middle: float) -> None:
    top = middle + item.height / 2
    fill = item.step.style.fill
    for sheet in range(item.sheets):
        corner = (item.left + _SHEET * sheet, top - _SHEET * sheet - item.side)
        axes.add_patch(Rectangle(corner, item.front, item.side, fc=fill, ec=INK, lw=0.6))
    center = item.left + item.width / 2
    axes.text(center, top + 0.06, item.label, size=TEXT, ha="center", va="bottom")


def _draw_words(axes: Axes, before: _Item | None, item: _Item, top: float) -> None:
    x = ((before.right if before else 0.0) + item.left) / 2
    for number, (line, colour) in enumerate(item.words):
        axes.text(x, top - _LINE * number, line, size=SMALL, color=colour, ha="center", va="top")


def _draw_way(axes: Axes, before: _Item | None, item: _Item, middle: float) -> None:
    """Draw a window and the pixel that it makes; for a dense layer, or a new row, an arrow."""
    if before is None or len(item.step.shape) == 1:
        start = before.right if before else 0.0
        axes.annotate("", (item.left - 0.04, middle), (start + 0.04, middle), arrowprops=ARROW)
        return
    height, width = (side * item.scale for side in item.step.window)
    width, height = min(width, before.front), min(height, before.side)
    left, bottom = _draw_window(axes, before, (width, height), 0.6, middle)
    pixel = (item.scale, item.scale)
    pixel_left, pixel_bottom = _draw_window(axes, item, pixel, 0.25, middle)
    for upper in (0.0, 1.0):
        x = (left + width, pixel_left)
        y = (bottom + upper * height, pixel_bottom + upper * item.scale)
        axes.plot(x, y, color=VERMILLION, linewidth=0.6, zorder=3)


def _draw_window(
    axes: Axes, item: _Item, size: tuple[float, float], across: float, middle: float
) -> tuple[float, float]:
    """Draw a window on the foremost sheet, `across` of the way to its right; return its corner."""
    width, height = size
    left = item.right - item.front + across * (item.front - width)
    bottom = middle - item.height / 2 + (item.side - height) / 2
    window = Rectangle((left, bottom), width, height, fc="none", ec=VERMILLION, lw=0.8, zorder=3)
    axes.add_patch(window)
    return left, bottom
