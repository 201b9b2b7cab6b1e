"""One trial of a sweep: skipped where it is done, gone on with where it was stopped, or run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from filelock import FileLock, Timeout

from lenetctl.errors import BusyError, LenetctlError, PrunedError, UsageError
from lenetctl.runs.folder import Run
from lenetctl.runs.options import RunOptions
from lenetctl.runs.store import every, of_spec
from lenetctl.sweeps.plan import Trial

if TYPE_CHECKING:
    from lenetctl.runs.execute import RunCallback

Status = Literal["planned", "running", "skipped", "finished", "pruned", "failed", "killed"]

CLAIMS = ".claims"  # below the root: a lock for each trial, dropped by the kernel with its holder
BUSY_PAUSE = 0.5  # seconds between two looks at a run that `lenetctl train` is busy with


@dataclass(frozen=True)
class TrialEvent:
    """What is told of a trial: when it begins, after every epoch, and when it ends."""

    sha256: str  # the trial's
    status: Status
    run: Run | None = None
    message: str = ""


Tell = Callable[[TrialEvent], object]  # a true answer to the news of an epoch prunes the trial


class FailedFast(KeyboardInterrupt):
    """Raised by who is told of a failure, to stop all other trials."""


def prepare(root: Path) -> None:
    """Make the folders that trials need, so that a sweep fails at once where it cannot write."""
    try:
        (root / CLAIMS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{error.filename}: cannot be written: {error.strerror}") from error


def index(root: Path) -> dict[str, list[Run]]:
    """Return every run below `root` by its identity, the oldest first."""
    runs: dict[str, list[Run]] = {}
    for run in every(root):
        runs.setdefault(run.record["spec_sha256"], []).append(run)
    return runs


def finished(runs: Sequence[Run]) -> Run | None:
    """Return the latest of a trial's runs that makes another one superfluous."""
    return next((run for run in reversed(runs) if run.status["status"] == "FINISHED"), None)


def unfinished(runs: Sequence[Run]) -> Run | None:
    """Return the run that a trial goes on with; none after a divergence, which would recur."""
    last = runs[-1] if runs else None
    if last is None or last.status["status"] == "FINISHED":
        return None
    return None if last.status["outcome"] == "diverged" else last


class Teller:
    """Tells how one trial goes, and knows its run as soon as there is one."""

    def __init__(self, trial: Trial, tell: Tell) -> None:
        self._sha256, self._tell = trial.sha256, tell
        self.run: Run | None = None
        self.status: Status = "planned"

    def __call__(self, status: Status, run: Run | None = None, message: str = "") -> object:
        """Tell `status`; return the answer."""
        self.run, self.status = run or self.run, status
        return self._tell(TrialEvent(self._sha256, status, self.run, message))

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Tell an error, which ends the trial alone; tell an interrupt and pass it on.

        Raises:
            BusyError: untold, because the trial is to be tried again.

        """
        try:
            yield
        except BusyError:
            raise
        except PrunedError as error:
            self("pruned", message=str(error))
        except Exception as error:  # noqa: BLE001  one trial's failure harms no other
            kind = "" if isinstance(error, LenetctlError) else f"{type(error).__name__}: "
            self("failed", message=f"{kind}{error}")
        except BaseException:
            self("killed")
            raise

    def watcher(self) -> RunCallback:
        """Return a watcher that passes on what a sweep wants to know of a run."""
        from lenetctl.runs.execute import RunCallback  # noqa: PLC0415  torch: not to plan a sweep

        told = self

        class Passing(RunCallback):
            def begun(self, run: Run, *_: object) -> None:
                told("running", run)

            def epoch(self, run: Run, *_: object) -> None:
                if told("running", run):
                    raise PrunedError(f"after epoch {len(run.epochs())}")

            def warn(self, message: str) -> None:
                told("running", message=message)

        return Passing()


def run_trial(trial: Trial, options: RunOptions, tell: Tell, *, force: bool = False) -> Status:
    """Do `trial` in this process, unless it is done; return how it ended.

    An error is told and ends the trial alone. An interrupt is told and raised. If another sweep is
    at the same trial, this one waits for it: nothing is trained twice.
    """
    from lenetctl.runs.execute import execute  # noqa: PLC0415  torch: not to plan a sweep

    told = Teller(trial, tell)
    own = replace(options, command=trial.command)
    with told.failures(), claimed(options.root, trial):
        while not (run := None if force else done(trial, options)):
            try:
                told("finished", execute(trial.spec, own, told.watcher(), begun(trial, options)))
                break
            except BusyError:
                time.sleep(BUSY_PAUSE)
        else:
            told("skipped", run)
    return told.status


def done(trial: Trial, options: RunOptions) -> Run | None:
    """Return the run that makes training `trial` superfluous."""
    run = finished(of_spec(options.root, trial.sha256))
    if run and trial.spec.data.dataset == "folder":  # whose images can have changed
        from lenetctl.data.dataset import load_dataset  # noqa: PLC0415  torch

        now = load_dataset(trial.spec.data, options.data_dir).digest
        return run if run.record["data"]["digest"] == now else None
    return run


def begun(trial: Trial, options: RunOptions) -> Run | None:
    """Return the run that `trial` goes on with."""
    return unfinished(of_spec(options.root, trial.sha256))


@contextmanager
def claimed(root: Path, trial: Trial, *, wait: bool = True) -> Iterator[None]:
    """Keep other sweeps from the trial for as long as the context lasts.

    Raises:
        BusyError: another sweep is at it, and this one is not to wait.

    """
    lock = FileLock(root / CLAIMS / trial.sha256[:16])
    try:
        lock.acquire(blocking=wait)
    except Timeout:
        raise BusyError(f"{trial.name}: another sweep is at it") from None
    try:
        yield
    finally:
        lock.release()
