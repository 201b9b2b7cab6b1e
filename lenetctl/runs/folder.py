"""One run on disk: its folder is the truth that everything else is made from.

spec.yaml        the resolved spec
run.json         what does not change: name, identity, data, device, versions, command
status.json      RUNNING, FINISHED, FAILED or KILLED, and since when
metrics.jsonl    one line an epoch
checkpoints/     the last two epochs, to resume from
best.safetensors the weights that validation chose, where there is a validation split
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
from itertools import count
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lenetctl import spec as specs
from lenetctl.errors import BusyError, NotFoundError, UsageError
from lenetctl.files import write_whole
from lenetctl.spec.schema import Spec

ROOT = Path("mlruns/lenetctl")  # below the working directory, beside what MLflow keeps


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
        return self.path / "checkpoints"

    @property
    def best(self) -> Path:
        """Where the weights that validation chose are."""
        return self.path / "best.safetensors"

    @property
    def figures(self) -> Path:
        """Where the run's pictures are."""
        return self.path / "figures"

    def spec(self) -> Spec:
        """Return the resolved spec."""
        return specs.load(self.path / "spec.yaml")

    def epochs(self) -> list[dict[str, float]]:
        """Return the metrics of each epoch so far; a line cut off by a crash counts for nothing."""
        try:
            lines = (self.path / "metrics.jsonl").read_text().splitlines(keepends=True)
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def append_epoch(self, metrics: Mapping[str, float]) -> None:
        """Add an epoch's line to the journal, flushed to the disk."""
        with (self.path / "metrics.jsonl").open("a") as journal:
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


@contextmanager
def begun(root: Path, spec: Spec, name: str, record: Mapping[str, Any]) -> Iterator[Run]:
    """Make the folder of a new run and hold its lock for as long as the context lasts.

    Raises:
        BusyError: another process trains the same experiment.
        UsageError: the folder cannot be written.

    """
    identity = specs.sha256(spec)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / ".lock"):  # so that two starts at once see each other
            earlier = [run for run in every(root) if run.record["spec_sha256"] == identity]
            for run in earlier:
                with run.held():  # raises where one is in training
                    pass
            # what a crash left behind, or a gap where a run was deleted, takes its number with it
            paths = (root / f"{name}-{identity[:8]}-{n}" for n in count(len(earlier) + 1))
            path = next(path for path in paths if not path.exists())
            path.mkdir()
            run = Run(path)
            holding = run.held()
            holding.__enter__()
            write_whole(path / "spec.yaml", specs.to_yaml(spec))
            run.set_status("RUNNING")
            created = run.status["started"]
            run.write(
                "run.json", {"name": name, "spec_sha256": identity, "created": created, **record}
            )
    except (PermissionError, FileExistsError, NotADirectoryError) as error:
        raise UsageError(f"{error.filename}: cannot be written: {error.strerror}") from error
    try:
        yield run
    finally:
        holding.__exit__(None, None, None)


def every(root: Path) -> list[Run]:
    """Return every run below `root`, the oldest first."""
    runs = [Run(path.parent) for path in root.glob("*/run.json")]
    return sorted(runs, key=lambda run: (run.record["created"], run.path.name))


def settle(root: Path) -> list[Run]:
    """End every run that says RUNNING but that nobody trains any more; return those ended."""
    dead = []
    for run in every(root):
        if run.status["status"] == "RUNNING" and not run.is_held():
            run.set_status("KILLED", "killed", "its process ended without a word")
            dead.append(run)
    return dead


def find(root: Path, wanted: str) -> Run:
    """Return the run that `wanted` names: a folder, a name, an MLflow id, a prefix, or `latest`.

    Of several runs with the name it is the newest.

    Raises:
        NotFoundError: no run, or several, answer to it.

    """
    if os.path.isfile(Path(wanted) / "run.json"):  # noqa: PTH113  the method raises for a long name
        return Run(Path(wanted))
    runs = every(root)
    if wanted == "latest" and runs:
        return runs[-1]

    def labels(run: Run) -> tuple[str, ...]:
        return (run.name, run.path.name, str(run.published.get("run_id", "")))

    exact = [run for run in runs if wanted in labels(run)]
    if exact:
        return exact[-1]
    begins = [run for run in runs if any(label.startswith(wanted) for label in labels(run))]
    if len(begins) == 1 and wanted:
        return begins[0]
    some = ", ".join(run.path.name for run in (begins or runs)[-5:]) or "none yet"
    what = "several runs begin so" if begins and wanted else "there is no such run"
    raise NotFoundError(f"{wanted}: {what} in {root} (here: {some})")
