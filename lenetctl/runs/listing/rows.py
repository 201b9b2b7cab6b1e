"""A run as one row of a table: everything that is known of it, each by one name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from math import isfinite
from pathlib import Path

from lenetctl import specs
from lenetctl.errors import LenetctlError
from lenetctl.runs.folder import Run
from lenetctl.runs.listing.snapshot import Snapshot
from lenetctl.runs.records import RunRecord
from lenetctl.runs.store import RunStore
from lenetctl.specs.identity import Value

SECTIONS = ("data.", "model.", "training.")  # keys of a spec begin so


@dataclass(frozen=True, eq=False)
class RunRow:
    """What a table of runs has in one row; the spec is read when it is asked for."""

    run: Run
    about: dict[str, Value]  # run, name, status, …, and `tags.KEY`
    environment: dict[str, Value]  # what a result depends on beside the spec
    metrics: dict[str, float]  # of the last epoch; of the best one as `best/test/accuracy`

    @classmethod
    def of(cls, run: Run) -> RunRow:
        """Read a run's records.

        Raises:
            NotFoundError: one is missing or damaged.

        """
        record, status = run.record, run.status
        about: dict[str, Value] = {
            "run": run.path.name,
            "name": record.name,
            "status": status.state,
            "outcome": status.outcome,
            "experiment": record.experiment,
            "user": record.user,
            "created": _utc(record.created),
            **{f"tags.{key}": value for key, value in record.tags.items()},
        }
        if status.ended and status.started:
            about["seconds"] = (status.ended - status.started) / 1000
        return cls(run, about, _environment(record), _metrics(run))

    @cached_property
    def spec(self) -> dict[str, Value]:
        """The resolved spec by dotted keys; empty where this version cannot read it."""
        with suppress(LenetctlError):
            return specs.flatten(self.run.spec())
        return {}

    def get(self, name: str) -> Value | None:
        """Return what is in the column `name`, None where there is nothing."""
        if name.startswith(SECTIONS) and name != "data.digest":
            return self.spec.get(name)
        return (self.about | self.environment | self.metrics).get(name)

    @cached_property
    def cells(self) -> dict[str, Value]:
        """Everything, by the names of the columns."""
        return {
            **self.about,
            "run_id": self.run.published.run_id or "",
            **self.environment,
            **self.spec,
            **self.metrics,
        }

    @property
    def document(self) -> dict[str, Value | None]:
        """Everything, as JSON has it."""
        return {name: plain(cell) for name, cell in self.cells.items()}


def list_runs(root: Path, warn: Callable[[str], object]) -> list[RunRow]:
    """Return every run as a row, the oldest first; `warn` is told of those that are damaged.

    Runs whose process died are ended, where that can be written down.
    """
    store = RunStore(root, Snapshot)
    runs, damaged = store.scan()
    rows = []
    for run in runs:
        try:
            rows.append(RunRow.of(run))
        except LenetctlError as error:
            damaged.append(str(error))
    for problem in damaged:
        warn(f"skipped: {problem}")
    if all(row.about["status"] != "RUNNING" for row in rows):
        return rows
    with suppress(OSError):  # a read-only project can be looked at
        dead = {run.path for run in RunStore(root).end_dead()}
        return [RunRow.of(Run(row.run.path)) if row.run.path in dead else row for row in rows]
    return rows


def columns(rows: Iterable[RunRow]) -> list[str]:
    """Return the names of all columns, in the order they come."""
    return list(dict.fromkeys(name for row in rows for name in row.cells))


def plain(cell: Value | None) -> Value | None:
    """Return a cell as JSON has it, which has no NaN."""
    return None if isinstance(cell, float) and not isfinite(cell) else cell


def _environment(record: RunRecord) -> dict[str, Value]:
    where = record.environment
    return {
        "data.digest": record.data.digest,
        "device": record.device,
        "engine": record.engine,
        "parameters": record.parameters,
        "lenetctl": where.lenetctl,
        "torch": where.torch,
        "python": where.python,
        "platform": where.platform,
        "git_commit": where.git_commit,
        "git_dirty": where.git_dirty,
    }


def _metrics(run: Run) -> dict[str, float]:
    """Return the metrics of the last epoch, and of a finished run's best."""
    if run.is_finished:
        result = run.result
        return result.final | {f"best/{name}": value for name, value in result.best.items()}
    *_, last = [{}, *run.epochs()]
    return {name: value for name, value in last.items() if name not in ("epoch", "time")}


def _utc(milliseconds: int) -> str:
    """Return a time as ISO 8601 has it, to the second."""
    return (
        datetime.fromtimestamp(milliseconds // 1000, UTC).isoformat().removesuffix("+00:00") + "Z"
    )
