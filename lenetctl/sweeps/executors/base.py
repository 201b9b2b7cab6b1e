"""What an executor is, and which there are. A new one is a file beside this and a line below."""

from __future__ import annotations

import pkgutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lenetctl.errors import UsageError
from lenetctl.runs.folder import Run
from lenetctl.runs.options import RunOptions
from lenetctl.sweeps.events import Draw, Listener, TrialEvent
from lenetctl.sweeps.executors import EXECUTORS, TAKE_OPTIONS
from lenetctl.sweeps.trial import Trial

Batch = Sequence[Trial]  # trials that go to one process together


def _tell_nobody(_message: str) -> None:
    """Drop a warning. No lambda, for workers get it pickled."""


@dataclass(frozen=True)
class ExecutorSettings:
    """How trials are to be run."""

    options: RunOptions
    jobs: int | None = None  # trials at a time; None: as the executor sees fit
    force: bool = False  # run again what is done
    warn: Callable[[str], None] = _tell_nobody  # tells the user
    extra: Mapping[str, Any] = field(default_factory=dict)  # what only one executor takes
    draw: Draw | None = None  # draws a run where it was trained; None: the writer does

    def within(self, options: RunOptions) -> ExecutorSettings:
        """Return the settings of the executor inside a worker, which has these options."""
        return ExecutorSettings(options, force=self.force, draw=self.draw)


class Executor(Protocol):
    """Goes through the trials of a sweep; made of `ExecutorSettings`."""

    def run(self, trials: Iterable[Trial], listener: Listener) -> None:
        """Run the trials, each taken from the iterable when there is room for it.

        Events come in this thread, one at a time, and the listener's decision about an epoch
        is heeded before the next one. What it raises ends all trials. However this ends, no
        process or task is left.
        """


def make_executor(name: str, settings: ExecutorSettings) -> Executor:
    """Return the executor called `name`.

    Raises:
        UsageError: it needs an extra of lenetctl that is not installed, or has no options.

    """
    if settings.extra and name not in TAKE_OPTIONS:
        raise UsageError(f"--executor-option: is for --executor {' or '.join(TAKE_OPTIONS)}")
    try:
        make: Callable[[ExecutorSettings], Executor] = pkgutil.resolve_name(EXECUTORS[name])
    except ModuleNotFoundError as error:
        remedy = f"install lenetctl with its extra `{name}`"
        raise UsageError(f"--executor {name}: {error.name} is not installed: {remedy}") from None
    return make(settings)


class RetryQueue:
    """The batches to hand out: before all others what is left of those whose process was lost.

    A trial is tried again once, and once more whenever it has got further since.
    """

    def __init__(self, batches: Iterable[Batch]) -> None:
        self._rest, self._lost = iter(batches), deque[Batch]()
        self._reached: dict[str, int] = {}  # epochs of each trial that was lost, by its SHA-256

    def take(self) -> Batch | None:
        """Return the next batch; None where none is left."""
        return self._lost.popleft() if self._lost else next(self._rest, None)

    def put_back(
        self, batch: Batch, runs: Mapping[str, Run | None], cause: str
    ) -> Iterator[TrialEvent]:
        """Take back the trials of a batch whose process was lost; end their runs.

        Args:
            batch: those of its trials that had not ended.
            runs: their runs, as far as these had begun, by the trial's SHA-256.
            cause: how it was lost, for the user.

        Yields:
            for each trial the event that it is tried again, or has failed.

        """
        again = [trial for trial in batch if self._advanced(trial.sha256, runs)]
        if again:
            self._lost.append(again)
        for trial in batch:
            run = runs.get(trial.sha256)
            if run and run.status.state == "RUNNING":
                run.set_status("FAILED", "killed", cause)
            if trial in again:
                yield TrialEvent(trial.sha256, "killed", run, f"{cause}; trying again")
            else:
                yield TrialEvent(trial.sha256, "failed", run, cause)

    def _advanced(self, sha256: str, runs: Mapping[str, Run | None]) -> bool:
        """Return whether a trial has more epochs than when it was lost before, if it was."""
        run = runs.get(sha256)
        before, self._reached[sha256] = (
            self._reached.get(sha256, -1),
            len(run.epochs()) if run else 0,
        )
        return self._reached[sha256] > before
