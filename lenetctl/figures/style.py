"""The one style of every picture, and how a picture becomes a file.

Only `matplotlib.figure.Figure` is used, never pyplot: no display, no global list of figures.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

from lenetctl.errors import UsageError
from lenetctl.figures.fonts import families, legible
from lenetctl.files import write_whole

# Okabe and Ito, "Color Universal Design" (2008), without the yellow, which is lost on white
BLUE, VERMILLION, GREEN, ORANGE = "#0072b2", "#d55e00", "#009e73", "#e69f00"
SKY, PURPLE, BLACK = "#56b4e9", "#cc79a7", "#000000"
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)
INK, MUTED, GRID = "#1a1a1a", "#5f5f5f", "#e3e3e3"

TEXT, SMALL, TITLE = 8.0, 7.0, 9.0  # points; at its own size a picture fits a paper's column
DPI = 160
_MARGIN, _GUTTER, _INSET = 0.15, 0.5, 0.1  # inches around, between and inside pictures
ARROW: dict[str, Any] = {"arrowstyle": "-|>", "color": INK, "linewidth": 0.8, "mutation_scale": 7}

STYLE: Any = {  # as `_RC`
    "axes.axisbelow": True,
    "axes.edgecolor": "#9a9a9a",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": TEXT,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "white",  # also on a dark page
    "font.size": TEXT,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.fontsize": TEXT,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "savefig.dpi": DPI,
    "svg.fonttype": "path",  # a reader without the font sees the same picture
    "svg.hashsalt": "lenetctl",  # else the ids of an SVG are drawn anew each time
    "text.color": INK,
    "text.hinting": "none",  # widths grow with the size, not by whole pixels
    "text.parse_math": False,  # a dollar in a name is a dollar
    "xtick.color": "#9a9a9a",
    "xtick.labelcolor": INK,
    "xtick.labelsize": TEXT,
    "ytick.color": "#9a9a9a",
    "ytick.labelcolor": INK,
    "ytick.labelsize": TEXT,
}

# without what matplotlib would write of itself and of the day; compression at level 3 takes two
# thirds of the time of 6, for a tenth more bytes
_FORMATS: dict[str, Any] = {
    ".png": {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": 3}},
    ".svg": {"metadata": {"Creator": None, "Date": None}},
}
_RC: Any = mpl.rcParams  # matplotlib types each key by its name
_RC_LOCK = threading.RLock()


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the house style, whatever the user's matplotlibrc says; also a decorator.

    Matplotlib's settings belong to the whole process, so threads draw one at a time.
    """
    with _RC_LOCK, mpl.rc_context():
        dict.update(_RC, _settings())  # without matplotlib's checks, which take as long as an axis
        yield


@cache
def _settings() -> dict[str, Any]:
    """Return every setting but the backend, which is looked for where it is read."""
    with mpl.rc_context():
        mpl.rcdefaults()
        _RC.update(STYLE | {"font.family": families()})
        return {key: value for key, value in dict.items(_RC) if key != "backend"}


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure; `width` and `height` in inches."""
    return Figure(figsize=(width, height))


def place(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Return new axes on `figure`; all in inches from its lower left corner."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def blank_axes(figure: Figure) -> Axes:
    """Return axes over the whole figure, without a frame; their limits are to be set in inches."""
    axes = figure.add_axes((0, 0, 1, 1))
    without_frame(axes)
    return axes


def without_frame(axes: Axes) -> None:
    """Leave the frame out, and the ticks, which take time even where they are not seen."""
    axes.axis("off")
    axes.set(xticks=(), yticks=())


def cut(figure: Figure, drawn: Sequence[tuple[Axes, float, float]]) -> None:
    """Lay what was drawn on blank axes side by side; each comes with its width and height."""
    width = sum(w for _, w, _ in drawn) + _GUTTER * (len(drawn) - 1) + 2 * _MARGIN
    height = max(h for _, _, h in drawn) + 2 * _MARGIN
    figure.set_size_inches(width, height)
    left = _MARGIN
    for axes, w, h in drawn:
        above = (height - h) / 2
        axes.set(xlim=(-left, width - left), ylim=(above - height, above))
        left += w + _GUTTER


@lru_cache(maxsize=10_000)  # the names of classes and runs come again
def text_width(text: str, size: float = TEXT) -> float:
    """Return the width in inches of the longest line of `text`, set at `size` points."""
    font = FontProperties(size=size, family=families())
    points = (
        text_to_path.get_text_width_height_descent(line, font, ismath=False)[0]
        for line in legible(text).split("\n")
    )
    return max(points) / 72


def headline(figure: Figure, title: str) -> None:
    """Write `title` into the upper left corner, smaller where it would not fit."""
    width, height = figure.get_size_inches()
    room = width - 2 * _INSET
    size = TITLE * room / max(room, text_width(title, TITLE))
    figure.text(_INSET / width, 1 - _INSET / height, title, size=size, va="top")


@styled()
def save(figure: Figure, path: Path, *, fitted: bool = False) -> None:
    """Write `figure` to `path` as its suffix says, PNG or SVG; the same figure, the same bytes.

    `fitted`: the paper is as large as what is drawn, for figures that others have laid out.

    Raises:
        UsageError: another suffix, or a place that cannot be written.
        OSError: the disk is full; what stood there before is as it was.

    """
    suffix = path.suffix.lower()
    if suffix not in _FORMATS:
        raise UsageError(f"{path}: a picture is saved as {' or '.join(_FORMATS)}")
    for text in figure.findobj(Text):
        text.set_text(legible(text.get_text()))
    picture = BytesIO()
    paper = "tight" if fitted else None
    figure.savefig(picture, format=suffix[1:], bbox_inches=paper, **_FORMATS[suffix])
    try:
        write_whole(path, picture.getvalue())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
