"""What an executor is, and which there are. A new one is a file beside this and a line below."""

from __future__ import annotations

import pkgutil
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from lenetctl.errors import UsageError
from lenetctl.runs.folder import Run
from lenetctl.runs.options import RunOptions
from lenetctl.sweeps.events import Listener, TrialEvent
from lenetctl.sweeps.executors import EXECUTORS
from lenetctl.sweeps.trial import Trial


@dataclass(frozen=True)
class ExecutorSettings:
    """How trials are to be run."""

    options: RunOptions
    jobs: int | None = None  # trials at a time; None: as the executor sees fit
    force: bool = False  # run again what is done
    warn: Callable[[str], None] = lambda _: None  # tells the user


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
        UsageError: it needs an extra of lenetctl that is not installed.

    """
    try:
        make: Callable[[ExecutorSettings], Executor] = pkgutil.resolve_name(EXECUTORS[name])
    except ModuleNotFoundError as error:
        remedy = f"install lenetctl with its extra `{name}`"
        raise UsageError(f"--executor {name}: {error.name} is not installed: {remedy}") from None
    return make(settings)


class RetryQueue:
    """The trials to hand out: before all others those whose process was lost, once each."""

    def __init__(self, trials: Iterable[Trial]) -> None:
        self._rest, self._lost = iter(trials), deque[Trial]()
        self._retried: set[str] = set()

    def take(self) -> Trial | None:
        """Return the next trial; None where none is left."""
        return self._lost.popleft() if self._lost else next(self._rest, None)

    def put_back(self, trial: Trial, run: Run | None, cause: str) -> TrialEvent:
        """Take back a trial whose process was lost, once; end its run and return the event."""
        if run and run.status.state == "RUNNING":
            run.set_status("FAILED", "killed", cause)
        if trial.sha256 in self._retried:
            return TrialEvent(trial.sha256, "failed", run, cause)
        self._retried.add(trial.sha256)
        self._lost.append(trial)
        return TrialEvent(trial.sha256, "killed", run, f"{cause}; trying again")
