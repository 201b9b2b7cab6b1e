"""What is told of a trial while a sweep runs, and what may be decided in answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from lenetctl.errors import BusyError, LenetctlError, PrunedError
from lenetctl.runs.callbacks import RunCallback
from lenetctl.runs.folder import Run
from lenetctl.runs.records import ResultRecord
from lenetctl.sweeps.trial import Trial

EventKind = Literal[
    "started", "epoch_end", "warning", "finished", "skipped", "pruned", "failed", "killed"
]
ENDINGS = {"finished", "skipped", "pruned", "failed", "killed"}


@dataclass(frozen=True)
class TrialEvent:
    """Something happened to a trial.

    started: its run began or goes on. epoch_end: an epoch is on disk. warning: see the message.
    finished, pruned, failed: its run ended so. skipped: a finished run made it superfluous.
    killed: its process was interrupted or lost; it goes on later, now where the message says so.
    """

    sha256: str  # the trial's
    kind: EventKind
    run: Run | None = None
    message: str = ""

    @property
    def ends_trial(self) -> bool:
        """Whether nothing more is heard of this attempt at the trial."""
        return self.kind in ENDINGS


class Decision(Enum):
    """What is to become of a trial whose epoch has ended; of other events it is not read."""

    CONTINUE = "continue"
    PRUNE = "prune"


Listener = Callable[[TrialEvent], Decision]
Draw = Callable[[Run, ResultRecord], None]  # of a module, so that it gets to other processes


class FailedFast(KeyboardInterrupt):
    """Raised by a listener to stop all other trials after a failure."""


class TrialReporter(RunCallback):
    """Turns what happens to one trial's run into events, and decisions into pruning."""

    def __init__(self, trial: Trial, listener: Listener, draw: Draw | None = None) -> None:
        """`draw` is called before a run says that it has finished."""
        self._sha256, self._listener, self._draw = trial.sha256, listener, draw
        self._run: Run | None = None

    def report(self, kind: EventKind, run: Run | None = None, message: str = "") -> Decision:
        """Tell the listener; the run is known from its start on."""
        self._run = run or self._run
        return self._listener(TrialEvent(self._sha256, kind, self._run, message))

    def on_start(self, run: Run, *_: object) -> None:
        """Report that the run begins or goes on."""
        self.report("started", run)

    def on_epoch_end(self, run: Run, *_: object) -> None:
        """Report an epoch.

        Raises:
            PrunedError: the listener decided so.

        """
        if self.report("epoch_end", run) is Decision.PRUNE:
            raise PrunedError(f"after epoch {len(run.epochs())}")

    def on_result(self, run: Run, result: ResultRecord) -> None:
        """Draw the run; where that fails the writer tries again, and tells."""
        if self._draw:
            with suppress(Exception):
                self._draw(run, result)

    def on_warning(self, message: str) -> None:
        """Report a warning."""
        self.report("warning", message=message)

    @contextmanager
    def errors_reported(self) -> Iterator[None]:
        """Report an error, which ends this trial alone; report an interrupt and pass it on.

        Raises:
            BusyError: unreported, because the trial is to be tried again.

        """
        try:
            yield
        except BusyError:
            raise
        except PrunedError as error:
            self.report("pruned", message=str(error))
        except Exception as error:  # noqa: BLE001  one trial's failure harms no other
            kind = "" if isinstance(error, LenetctlError) else f"{type(error).__name__}: "
            self.report("failed", message=f"{kind}{error}")
        except BaseException:
            self.report("killed")
            raise
