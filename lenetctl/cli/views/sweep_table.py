"""The live table of a sweep: a line a trial, as many as the terminal has room for."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table

from lenetctl.runs.folder import Run
from lenetctl.sweeps.trial import Trial
from lenetctl.training.metrics import EPOCH_SECONDS, accuracy_of

Status = Literal["planned", "running", "finished", "skipped", "pruned", "failed", "killed"]
ORDER: tuple[Status, ...] = (  # from top to bottom
    "running",
    "failed",
    "killed",
    "pruned",
    "finished",
    "skipped",
    "planned",
)
AROUND = 8  # lines: title, head, what is left out, counts, and some of what was said before
SHORTEST_NAME = 8  # columns


@dataclass
class Row:
    """A trial and how it stands."""

    trial: Trial
    status: Status = "planned"
    run: Run | None = None
    message: str = ""
    epochs: list[dict[str, float]] = field(default_factory=list)

    @property
    def epochs_left(self) -> int:
        """How many epochs are still to be trained."""
        if self.status not in ("planned", "running"):
            return 0
        return self.trial.spec.training.epochs - len(self.epochs)

    @property
    def best(self) -> tuple[str, float] | None:
        """The split that is watched, and the best accuracy on it so far."""
        for split in ("validation", "test"):
            accuracy = accuracy_of(split)
            values = [line[accuracy] for line in self.epochs if accuracy in line]
            if values:
                return split, max(values)
        return None


class Pace:
    """How fast a sweep goes: epochs of any trial, since the first one began."""

    def __init__(self) -> None:
        self._start: float | None = None  # s, of time.monotonic()
        self._epochs = 0

    def count(self, *, epoch: bool) -> None:
        """Take in that a trial began, or an epoch of one ended."""
        self._start = self._start or time.monotonic()
        self._epochs += epoch

    def left(self, rows: Iterable[Row]) -> str:
        """Return the time that all rows still take, in words; nothing while it is not known."""
        left = sum(row.epochs_left for row in rows)
        if self._start is None or not self._epochs or not left:
            return ""
        each = (time.monotonic() - self._start) / self._epochs
        return f"about {duration(each * left)} left"


@dataclass(frozen=True)
class Tail:
    """A name of which, where there is no room for all, the end is shown: there names differ."""

    name: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        name, mark = self.name, "..." if options.ascii_only else "…"
        while cell_len(name) > options.max_width - (len(mark) if name != self.name else 0):
            name = name[1:]
        yield name if name == self.name else mark + name

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = cell_len(self.name)
        return Measurement(min(width, SHORTEST_NAME), width)


def sweep_table(title: str, rows: Sequence[Row], caption: str, lines: int) -> Table:
    """Return the table for a terminal of so many lines, the trials at work first."""
    watched = next((row.best[0] for row in rows if row.best), "test")
    look: dict[str, Any] = {"box": SIMPLE_HEAD, "show_edge": False, "padding": (0, 0, 0, 1)}
    table = Table(title=title, caption=caption, pad_edge=False, **look)
    for head in ("run", "state", "epoch", f"best {watched} acc", "left"):
        table.add_column(head, justify="left" if head in ("run", "state") else "right")
    for column in table.columns[1:]:
        column.no_wrap = True
    ordered = sorted(rows, key=lambda row: ORDER.index(row.status))
    room = max(3, lines - AROUND)
    for row in ordered[:room]:
        best = f"{row.best[1]:.4f}" if row.best else ""
        done = f"{len(row.epochs)}/{row.trial.spec.training.epochs}"
        is_timed = row.status == "running" and row.epochs
        left = duration(row.epochs_left * row.epochs[-1][EPOCH_SECONDS]) if is_timed else ""
        table.add_row(Tail(row.trial.name), row.status, done, best, left)
    if len(ordered) > room:
        table.add_row(f"{len(ordered) - room} more")
    return table


def duration(seconds: float) -> str:
    """Return a time in the unit in which it is a small number: 40 s, 12 min, 3.5 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
