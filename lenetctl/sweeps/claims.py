"""A lock for each trial, so that two sweeps at once train nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from lenetctl.errors import BusyError, UsageError
from lenetctl.sweeps.trial import Trial

CLAIMS = ".claims"  # below the root of all runs; the kernel drops a lock with its holder


def make_claims_folder(root: Path) -> None:
    """Make the folders that trials need, so that a sweep fails at once where it cannot write.

    Raises:
        UsageError: it cannot write.

    """
    try:
        (root / CLAIMS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{error.filename}: cannot be written: {error.strerror}") from error


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
