"""The data-flow picture (the chapter's Fig. 6.6.1): what each operation leaves, drawn to scale.

Feature maps are stacks of squares, dense layers are bars. All lengths are in inches.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from lenetctl.figures.steps import FILLS, Step
from lenetctl.figures.style import ARROW, INK, MUTED, SMALL, TEXT, VERMILLION, text_width

_LARGEST = 1.05  # side of the largest map
_TALLEST = 1.3  # bar of the widest dense layer
_BAR = 0.14  # a bar's width
_SHEET = 0.032  # from one square of a stack to the next
_MOST_SHEETS = 20  # of more channels only the label tells
_GAP = 0.36  # between neighbours
_APART = 0.1  # between two texts
_LINE = 0.145  # of text
_ROW_WIDTH = 9.0
_ROW_GAP = 0.2
_NAMES = {
    "image": "",
    "conv": "{window}×{window}\nconvolution",
    "avg": "{window}×{window} average\npooling",
    "max": "{window}×{window} max\npooling",
    "dense": "dense {units}",
}


class _Item:
    """A stack or a bar: the numbers that `step` leaves."""

    def __init__(self, step: Step, scale: float) -> None:
        """Measure; `scale` is inches per pixel of a map, or per square root of a bar's units."""
        count, *sides = step.shape
        self.step = step
        self.scale = scale
        self.sheets = min(count, _MOST_SHEETS) if sides else 1
        self.side = scale * (sides[0] if sides else math.sqrt(count))
        self.front = self.side if sides else _BAR  # width of the foremost sheet, or of the bar
        depth = _SHEET * (self.sheets - 1)
        self.width, self.height = self.front + depth, self.side + depth
        self.left = 0.0  # where `_rows` puts it

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def label(self) -> str:
        count, *sides = self.step.shape
        size = f"{sides[0]}×{sides[1]}" if sides else ""
        return f"image {size}" if self.step.kind == "image" else f"{count}@{size}" if sides else f"{count}"

    @property
    def words(self) -> list[tuple[str, str]]:
        """The lines below the arrow that leads here, in the order of doing, each with a colour."""
        step = self.step
        name = _NAMES[step.kind].format(window=step.window, units=step.shape[0])
        return [
            *((line, MUTED) for line in step.before),
            *((line, INK) for line in name.splitlines()),
            *((line, MUTED) for line in (*step.options, *step.after)),
        ]


def draw_flow(axes: Axes, steps: Sequence[Step]) -> tuple[float, float]:
    """Draw from the origin of `axes` to the right and down; return the width and height taken."""
    width = y = 0.0
    for number, (row, row_width) in enumerate(_rows(_items(steps))):
        y -= _ROW_GAP * (number > 0)
        tallest = max(item.height for item in row)
        middle = y - _LINE - 0.06 - tallest / 2
        words = middle - tallest / 2 - 0.12
        for before, item in pairwise([None, *row]):
            _draw_item(axes, item, middle)
            _draw_way(axes, before, item, middle, words)
        width = max(width, row_width)
        y = words - _LINE * max(len(item.words) for item in row)
    return width, -y


def _items(steps: Sequence[Step]) -> list[_Item]:
    widest = max(step.shape[1] for step in steps if step.kind != "dense")
    most = max((step.shape[0] for step in steps if step.kind == "dense"), default=1)
    pixel, unit = _LARGEST / widest, _TALLEST / math.sqrt(most)
    return [_Item(step, unit if step.kind == "dense" else pixel) for step in steps]


def _rows(items: Sequence[_Item]) -> list[tuple[list[_Item], float]]:
    """Place the items, each as far left as neighbours and texts allow; return rows and widths."""
    rows: list[tuple[list[_Item], float]] = []
    ends = _ROW_START
    for item in items:
        _, moved = _placed(item, ends)
        if not rows or max(moved) > _ROW_WIDTH:
            rows.append(([], 0.0))
            ends = _ROW_START
        item.left, ends = _placed(item, ends)
        row, _ = rows.pop()
        rows.append(([*row, item], max(ends)))
    return rows


_Ends = tuple[float, float, float]  # right ends of the last item, label and words
_ROW_START: _Ends = (0.0, -_APART, -_APART)


def _placed(item: _Item, ends: _Ends) -> tuple[float, _Ends]:
    """Return the left end of `item` after what ends at `ends`, and the ends after it."""
    right, labels, words = ends
    label = text_width(item.label) / 2
    word = max((text_width(line, SMALL) for line, _ in item.words), default=0.0) / 2
    left = max(
        right + _GAP * (item.step.kind != "image"),
        labels + _APART + label - item.width / 2,
        2 * (words + _APART + word) - right,  # words stand at the middle of the gap
    )
    middle = left + item.width / 2
    return left, (left + item.width, middle + label, max(words, (right + left) / 2 + word))


def _draw_item(axes: Axes, item: _Item, middle: float) -> None:
    top = middle + item.height / 2
    for sheet in range(item.sheets):
        corner = (item.left + _SHEET * sheet, top - _SHEET * sheet - item.side)
        axes.add_patch(
            Rectangle(corner, item.front, item.side, fc=FILLS[item.step.kind], ec=INK, lw=0.6)
        )
    axes.text(
        item.left + item.width / 2, top + 0.06, item.label, size=TEXT, ha="center", va="bottom"
    )


def _draw_way(
    axes: Axes, before: _Item | None, item: _Item, middle: float, words: float
) -> None:
    """Draw a window and the pixel that it makes; for a dense layer, or a new row, an arrow."""
    start = before.right if before else 0.0
    for number, (line, colour) in enumerate(item.words):
        x, y = (start + item.left) / 2, words - _LINE * number
        axes.text(x, y, line, size=SMALL, color=colour, ha="center", va="top")
    if item.step.kind == "image": return
    if before is None or item.step.kind == "dense":
        axes.annotate("", (item.left - 0.04, middle), (start + 0.04, middle), arrowprops=ARROW)
        return
    window = min(item.step.window * item.scale, before.side)
    x = before.right - before.side + 0.6 * (before.side - window)
    y = middle - before.height / 2 + 0.5 * (before.side - window)
    axes.add_patch(Rectangle((x, y), window, window, fc="none", ec=VERMILLION, lw=0.8, zorder=3))
    pixel = item.scale
    to_x = item.right - item.side + 0.25 * (item.side - pixel)
    to_y = middle - item.height / 2 + 0.5 * (item.side - pixel)
    axes.add_patch(Rectangle((to_x, to_y), pixel, pixel, fc="none", ec=VERMILLION, lw=0.8, zorder=3))
    for corner, end in ((y + window, to_y + pixel), (y, to_y)):
        axes.plot((x + window, to_x), (corner, end), color=VERMILLION, lw=0.6, zorder=3)
