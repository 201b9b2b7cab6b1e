"""One run on disk: its folder is the truth that everything else is made from.

spec.yaml        the resolved spec
run.json         what does not change: name, identity, data, device, versions, command
status.json      RUNNING, FINISHED, FAILED or KILLED, and since when
metrics.jsonl    one line an epoch
checkpoints/     the last two epochs, to resume from
best.safetensors the weights that validation chose, where there is a validation split
weights.safetensors  those that were evaluated at the end
result.json      the final evaluation
figures/         pictures
published.json   how much of it MLflow has
lock             held by the process that trains; the kernel drops it with the process
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lenetctl import specs
from lenetctl.errors import BusyError, NotFoundError
from lenetctl.files import naming, write_whole
from lenetctl.specs.schema import Spec

CHECKPOINTS = "checkpoints"


@dataclass(frozen=True)
class Run:
    """A run's folder; reads what is there now, keeps nothing in memory."""

    path: Path

    @property
    def record(self) -> dict[str, Any]:
        """What was written down when the run began."""
        return self._read("run.json")

    @property
    def name(self) -> str:
        """The run's name in MLflow: spec, swept values, seed."""
        return str(self.record["name"])

    @property
    def status(self) -> dict[str, Any]:
        """`status`, `outcome`, `message`, `started` and `ended` in ms since 1970, `pid`."""
        return self._read("status.json")

    @property
    def result(self) -> dict[str, Any]:
        """The final evaluation; empty before there is one."""
        return self._read("result.json", default={})

    @property
    def published(self) -> dict[str, Any]:
        """How much of the run MLflow has; empty before anything was published."""
        return self._read("published.json", default={})

    @property
    def checkpoints(self) -> Path:
        """Where the last epochs' states are."""
        return self.path / CHECKPOINTS

    @property
    def best(self) -> Path:
        """Where the weights that validation chose are."""
        return self.path / "best.safetensors"

    @property
    def weights(self) -> Path:
        """Where the weights are that count, once the run has finished: best, else last."""
        return self.path / "weights.safetensors"

    @property
    def figures(self) -> Path:
        """Where the run's pictures are."""
        return self.path / "figures"

    def spec(self) -> Spec:
        """Return the resolved spec."""
        return specs.load_spec(self.path / "spec.yaml")

    def epochs(self) -> list[dict[str, float]]:
        """Return the metrics of each epoch so far; a line cut off by a crash counts for nothing."""
        try:
            lines = (self.path / "metrics.jsonl").read_text().splitlines(keepends=True)
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def append_epoch(self, metrics: Mapping[str, float]) -> None:
        """Add an epoch's line to the journal, flushed to the disk."""
        path = self.path / "metrics.jsonl"
        with naming(path), path.open("a") as journal:
            journal.write(json.dumps(metrics) + "\n")
            journal.flush()
            os.fsync(journal.fileno())

    def write_epochs(self, epochs: list[dict[str, float]]) -> None:
        """Replace the journal."""
        lines = "".join(json.dumps(metrics) + "\n" for metrics in epochs)
        write_whole(self.path / "metrics.jsonl", lines)

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Replace one of the JSON files."""
        write_whole(self.path / name, json.dumps(content, indent=1, ensure_ascii=False))

    def set_status(self, status: str, outcome: str = "", message: str = "") -> None:
        """Write what became of the run."""
        now = int(time.time() * 1000)
        started = self._read("status.json", default={}).get("started", now)
        ended = None if status == "RUNNING" else now
        self.write(
            "status.json",
            {
                "status": status,
                "outcome": outcome,
                "message": message,
                "started": started,
                "ended": ended,
                "pid": os.getpid(),
            },
        )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the run's lock for as long as the context lasts.

        Raises:
            BusyError: another process holds it.

        """
        lock = FileLock(self.path / "lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            pid = self._read("status.json", default={}).get("pid", "unknown")
            message = f"{self.path.name} is being trained by process {pid}: wait, or stop that one"
            raise BusyError(message) from None
        try:
            yield
        finally:
            lock.release()

    def is_held(self) -> bool:
        """Return whether some process trains this run right now."""
        try:
            with self.held():
                return False
        except BusyError:
            return True

    def _read(self, name: str, default: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            content = json.loads((self.path / name).read_bytes())
        except FileNotFoundError:
            if default is not None:
                return default
            raise NotFoundError(f"{self.path}: not a run: it has no {name}") from None
        except ValueError as error:
            raise NotFoundError(f"{self.path / name}: not valid: {error}") from error
        return dict(content)
