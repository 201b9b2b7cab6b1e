"""The compressed notation (the chapter's Fig. 6.6.2): one box per operation, bottom to top."""

from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from lenetctl.figures.diagrams.operations import DROPOUT_FILL, Operation
from lenetctl.figures.style import ARROW, INK, MUTED, SMALL, TEXT, text_width

_BOX = 0.27  # inches high
_PITCH = 0.44  # from one box to the next
_ROUND = "round,pad=0,rounding_size=0.05"


def draw_compact(axes: Axes, steps: Sequence[Operation]) -> tuple[float, float]:
    """Draw from the origin of `axes` to the right and down; return the width and height taken."""
    boxes = list(_boxes(steps))
    width = max(text_width(words) for _, words, _ in boxes) + 0.25
    notes = max(text_width(note, SMALL) for _, _, note in boxes)
    for place, (fill, words, note) in enumerate(reversed(boxes)):
        y = -_BOX / 2 - _PITCH * place
        corner = (0, y - _BOX / 2)
        axes.add_patch(
            FancyBboxPatch(corner, width, _BOX, _ROUND, facecolor=fill, edgecolor=INK, lw=0.6)
        )
        axes.text(width / 2, y, words, size=TEXT, ha="center", va="center_baseline")
        axes.text(width + 0.08, y, note, size=SMALL, color=MUTED, va="center_baseline")
        if place:
            above = y + _PITCH - _BOX / 2
            axes.annotate("", (width / 2, above), (width / 2, y + _BOX / 2), arrowprops=ARROW)
    return width + 0.08 + notes, _BOX + _PITCH * (len(boxes) - 1)


def _boxes(steps: Sequence[Operation]) -> Iterator[tuple[str, str, str]]:
    """Yield colour, words and the note beside each box, from the image to the output."""
    for step in steps:
        yield from ((DROPOUT_FILL, words, "") for words in step.before if words != "flatten")
        yield step.style.fill, ", ".join([step.style.compact, *step.options]), ", ".join(step.after)
