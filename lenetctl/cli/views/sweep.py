"""How a sweep is shown: the trials beforehand, a table while they run, a line as each one ends."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from types import TracebackType
from typing import Any

import rich.console
from rich.live import Live
from rich.table import Table

from lenetctl import specs
from lenetctl.cli.console import Console
from lenetctl.cli.views.sweep_table import Pace, Row, Status, sweep_table
from lenetctl.runs.folder import Run
from lenetctl.specs.differences import settings, usual_values
from lenetctl.sweeps.events import Decision, EventKind, TrialEvent
from lenetctl.sweeps.plan import SweepPlan
from lenetctl.sweeps.trial import Trial

AFTER: dict[EventKind, Status] = {  # what a trial is after an event
    "started": "running",
    "epoch_end": "running",
    "warning": "running",
    "finished": "finished",
    "skipped": "skipped",
    "pruned": "pruned",
    "failed": "failed",
    "killed": "killed",
}


class SweepView:
    """Hears the events of a sweep; a live table on a terminal, plain lines elsewhere."""

    def __init__(self, name: str, trials: Iterable[Trial], console: Console) -> None:
        self.rows = {trial.sha256: Row(trial) for trial in trials}
        self.name, self.console = name, console
        self.verdicts: dict[str, dict[str, Any]] = {}  # of rows that were decided, by their names
        self._pace = Pace() if self.rows else None  # a search does not know what is to come
        self._is_live = console.rich.is_terminal and not console.quiet
        live = Live(get_renderable=self._table, console=console.rich, transient=True)
        self._shown = live if self._is_live else nullcontext()

    def __enter__(self) -> None:
        self._shown.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._shown.__exit__(kind, error, trace)

    def joined(self, trials: Iterable[Trial]) -> Iterator[Trial]:
        """Pass on trials that are not all known beforehand, with a row for each."""
        for trial in trials:
            self.rows[trial.sha256] = Row(trial)
            yield trial

    def on_event(self, event: TrialEvent) -> Decision:
        """Take an event in and say what is worth a line."""
        row = self.rows[event.sha256]
        row.status, row.run, row.message = AFTER[event.kind], event.run or row.run, event.message
        row.epochs = row.run.epochs() if row.run else []
        name = row.trial.name
        if self._pace and event.kind in ("started", "epoch_end"):
            self._pace.count(epoch=event.kind == "epoch_end")
        match event.kind:
            case "started":
                if not self._is_live:
                    self.console.say(f"{name}: goes on" if row.epochs else f"{name}: begun")
            case "warning":
                self.console.warn(f"{name}: {event.message}")
            case "failed" | "killed":
                self.console.warn(f"{name}: {event.kind}: {event.message or 'interrupted'}")
            case "finished" | "pruned":
                self.console.say(f"{name}: {event.kind}, {_best(row)}")
            case "skipped":
                self.console.say(f"{name}: done before, {_best(row)}")
        return Decision.CONTINUE

    def counts(self) -> dict[str, int]:
        """Return how many trials are in each state."""
        return dict(Counter(row.status for row in [*self.rows.values()]))

    def said(self) -> str:
        """Return the counts in words."""
        return ", ".join(f"{count} {status}" for status, count in self.counts().items())

    def document(self) -> dict[str, Any]:
        """Return what `--json` prints, but for the leaderboard."""
        return {
            "sweep": self.name,
            "trials": [_as_dict(row) for row in self.rows.values()],
            "counts": self.counts(),
            **({"verdicts": self.verdicts} if self.verdicts else {}),
        }

    def _table(self) -> Table:
        rows = [*self.rows.values()]  # a search adds some while this is drawn
        left = self._pace.left(rows) if self._pace else ""
        caption = "; ".join(filter(None, (self.said(), left)))
        return sweep_table(self.name, rows, caption, self.console.rich.height)


def print_plan(
    plan: SweepPlan, view: SweepView, goes_on: Mapping[str, Run], console: rich.console.Console
) -> None:
    """Print the trials: where they differ, their parameters, what is done already."""
    flat = {key: specs.flatten(row.trial.spec) for key, row in view.rows.items()}
    usual = usual_values(flat.values())
    table = Table(caption="differs: the swept keys, and what is not as in most other trials")
    for title in ("run", "differs", "lr", "parameters", "state"):
        table.add_column(title, justify="right" if title in ("lr", "parameters") else "left")
    for sha256, row in view.rows.items():
        spec, swept = flat[sha256], row.trial.overrides
        keys = (key for key, value in spec.items() if key in swept or value != usual[key])
        differs = (text.removeprefix("data.") for text in settings(spec, keys))
        parameters, _ = specs.net_size(row.trial.spec.model)
        state = "done" if row.status == "skipped" else "to run"
        if sha256 in goes_on:
            state = f"to go on after epoch {len(goes_on[sha256].epochs())}"
        lr = f"{row.trial.spec.training.optimizer.lr:g}"
        table.add_row(row.trial.name, " ".join(differs), lr, f"{parameters:,}", state)
    console.print(table, soft_wrap=False)
    for name, other in plan.duplicates:
        console.print(f"{name} is left out: it is the same experiment as {other}", markup=False)


def _as_dict(row: Row) -> dict[str, Any]:
    return {
        "name": row.trial.name,
        "overrides": json.loads(json.dumps(row.trial.overrides)),
        "spec_sha256": row.trial.sha256,
        "status": row.status,
        "run_id": row.run.published.run_id if row.run else None,
        "folder": str(row.run.path) if row.run else None,
        "metrics": row.run.result.final if row.run and row.run.is_finished else {},
        "message": row.message,
    }


def _best(row: Row) -> str:
    return "{} acc {:.4f}".format(*row.best) if row.best else "no epoch"
