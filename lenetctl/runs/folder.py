"""One run on disk: its folder is the truth that everything else is made from.

spec.yaml            the resolved spec
run.json             what does not change: name, identity, data, device, versions, command
status.json          RUNNING, FINISHED, FAILED or KILLED, and since when
metrics.jsonl        one line an epoch
checkpoints/         the last two epochs, to resume from
best.safetensors     the weights that validation chose, where there is a validation split
weights.safetensors  those that were evaluated at the end
epochs/              the weights after each epoch, and before the first, where `--keep-epochs` asked
best.json, weights.json, */epoch-*.json   the digest of the tensors beside them, and numbers
result.json          the final evaluation
figures/             pictures, and the table of layers
evaluations/         what `lenetctl eval` measured, and its pictures
predictions.npy      the class that the net takes each test image for
mistakes.json        the test images that the net is most confident about, and wrong
activations/         what `lenetctl activations` drew
insights/            what `lenetctl mistakes`, `explain`, `ablate` and `report` made
published.json       how much of it MLflow has
lock                 held by the process that trains; the kernel drops it with the process

`lenetctl.runs.records` says what the JSON files hold.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout
from pydantic import ValidationError
from pydantic_core import from_json

from lenetctl import specs
from lenetctl.errors import BusyError, NotFoundError
from lenetctl.files import naming, write_whole
from lenetctl.runs.records import (
    MistakesRecord,
    PublishedRecord,
    Record,
    ResultRecord,
    RunRecord,
    Status,
    StatusRecord,
)
from lenetctl.specs.schema import Spec

CHECKPOINTS = "checkpoints"
PREDICTIONS = "predictions.npy"  # older versions wrote none

AnyRecord = TypeVar("AnyRecord", bound=Record)


@dataclass(frozen=True)
class Run:
    """A run's folder; reads what is there now, keeps nothing in memory.

    Raises:
        NotFoundError: by each property that reads a file which is missing or not valid.

    """

    path: Path

    @property
    def record(self) -> RunRecord:
        """What was written down when the run began."""
        return self._read("run.json", RunRecord)

    @property
    def name(self) -> str:
        """The run's name in MLflow: spec, swept values, seed."""
        return self.record.name

    @property
    def status(self) -> StatusRecord:
        """What has become of it."""
        return self._read("status.json", StatusRecord)

    @property
    def is_finished(self) -> bool:
        """Whether it was trained and measured to its end."""
        return self.status.state == "FINISHED"

    @property
    def result(self) -> ResultRecord:
        """The final evaluation of a finished run."""
        state = self.status.state
        if state != "FINISHED":
            raise NotFoundError(f"{self.path.name} has no result: it is {state}")
        return self._read("result.json", ResultRecord)

    @property
    def classes(self) -> tuple[str, ...]:
        """What the net's outputs stand for; none where an older version never got to the end."""
        known = self.record.data.classes
        return known or (tuple(self.result.classes) if self.is_finished else ())

    @property
    def published(self) -> PublishedRecord:
        """How much of the run MLflow has."""
        return self._read("published.json", PublishedRecord, PublishedRecord())

    @property
    def checkpoints(self) -> Path:
        """Where the last epochs' states are."""
        return self.path / CHECKPOINTS

    @property
    def kept_epochs(self) -> Path:
        """Where the weights of each epoch are, of a run with `--keep-epochs`."""
        return self.path / "epochs"

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

    @property
    def evaluations(self) -> Path:
        """Where later evaluations are, a JSON file and a picture each."""
        return self.path / "evaluations"

    @property
    def activations(self) -> Path:
        """Where pictures of activations are."""
        return self.path / "activations"

    @property
    def insights(self) -> Path:
        """Where pictures and pages are that look into the run."""
        return self.path / "insights"

    @property
    def mistakes(self) -> MistakesRecord | None:
        """The worst mistakes on the test set; None where an older version made the run."""
        if not (self.path / "mistakes.json").exists():
            return None
        return self._read("mistakes.json", MistakesRecord)

    def spec(self) -> Spec:
        """Return the resolved spec."""
        if known := self.record.spec:
            with suppress(ValidationError):  # a later version's; reading the file says it better
                return Spec.model_validate(known)
        return specs.load_spec(self.path / "spec.yaml")

    def epochs(self) -> list[dict[str, float]]:
        """Return the metrics of each epoch so far; a line cut off by a crash counts for nothing."""
        try:
            lines = (self.path / "metrics.jsonl").read_text().splitlines(keepends=True)
        except FileNotFoundError:
            return []
        return [from_json(line) for line in lines if line.endswith("\n")]

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

    def write_record(
        self, record: RunRecord | ResultRecord | MistakesRecord | PublishedRecord
    ) -> None:
        """Replace the file that holds records of this kind."""
        name = type(record).__name__.removesuffix("Record").lower()  # run, result, …
        write_whole(self.path / f"{name}.json", record.to_json())

    def set_status(self, state: Status, outcome: str = "", message: str = "") -> None:
        """Write what became of the run."""
        now = int(time.time() * 1000)
        before = self._status_so_far()
        record = StatusRecord(
            state=state,
            outcome=outcome,
            message=message,
            started=before.started if before else now,
            ended=None if state == "RUNNING" else now,
            pid=os.getpid(),
        )
        write_whole(self.path / "status.json", record.to_json())

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
            status = self._status_so_far()
            pid = status.pid if status and status.pid else "unknown"
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

    def _status_so_far(self) -> StatusRecord | None:
        return self.status if (self.path / "status.json").exists() else None

    def _read(
        self, name: str, kind: type[AnyRecord], missing: AnyRecord | None = None
    ) -> AnyRecord:
        try:
            return kind.model_validate_json((self.path / name).read_bytes())
        except FileNotFoundError:
            if missing is not None:
                return missing
            raise NotFoundError(f"{self.path}: not a run: it has no {name}") from None
        except ValidationError as error:
            first = error.errors()[0]
            reason = ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))
            raise NotFoundError(f"{self.path / name}: not valid: {reason}") from error
