"""The writer to MLflow as commands use it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import typer

from lenetctl.artifacts import copy_into, draw, draw_search
from lenetctl.cli.console import Console, sign_of_life
from lenetctl.cli.errors import UNPUBLISHED
from lenetctl.errors import ResourceError, TrackingError, UsageError
from lenetctl.runs.folder import Run
from lenetctl.runs.store import RunStore
from lenetctl.tracking.check import check_store
from lenetctl.tracking.failures import useful_line
from lenetctl.tracking.recall import correct_cursors
from lenetctl.tracking.store import open_client
from lenetctl.tracking.sweeps.parent import SWEEP, log_into_parent
from lenetctl.tracking.uri import choose_uri, redacted, sqlite_file
from lenetctl.tracking.writer import outstanding
from lenetctl.tracking.writer_process import WriterProcess
from lenetctl.training.metrics import VALIDATION_ACCURACY

if TYPE_CHECKING:
    from optuna import Study


PUBLISHING = ("mlflow.pyfunc",)  # modules that a finished run takes, to be published
DRAWING = ("lenetctl.figures.curves", "lenetctl.figures.gallery")  # and to be drawn


def writer(
    option: str | None, console: Console, imports: Sequence[str] = (*PUBLISHING, *DRAWING)
) -> WriterProcess:
    """Return a writer to the store that the options name; it imports these modules at once.

    Raises:
        UsageError: nothing can be published there, however long one waits.

    """
    where = choose_uri(option)
    check_store(where)
    return WriterProcess(where, draw, console.warn, imports)


def catch_up(writing: WriterProcess, runs: list[Run] | None = None) -> list[Run]:
    """End runs whose process died and hand `runs`, else every run, to the writer if it is behind.

    Runs that are still in training are left to their own process.
    """
    store = RunStore()
    store.end_dead()
    readable, damaged = store.scan()
    for problem in damaged:
        writing.warn(f"skipped: {problem}")
    ended = [run for run in runs or readable if run.status.state != "RUNNING"]
    behind = outstanding(ended, writing.tracking_uri)
    for run in behind:
        writing.notify(run)
    return behind


def ask_mlflow(tracking_uri: str, runs: list[Run], console: Console) -> None:
    """Ask MLflow what it has of `runs`: what their folders say of it may be wrong.

    Raises:
        TrackingError: its store cannot be reached.

    """
    where = sqlite_file(tracking_uri)
    if where and not where.exists():
        return
    ended = [run for run in runs if run.status.state != "RUNNING"]
    try:
        with nullcontext() if console.quiet else sign_of_life("MLflow is asked what it has"):
            correct_cursors(open_client(tracking_uri), ended)
    except Exception as error:
        message = f"{redacted(tracking_uri)} does not say what it has: {useful_line(error)}"
        raise TrackingError(message) from error


def start_logging(
    run: Run, tracking_uri: str | None, console: Console, output: Path | None = None
) -> WriterProcess | None:
    """Start a writer for what a command is about to add to `run`: it imports MLflow meanwhile.

    Where the run cannot be written and `output` is for the result: None, and a warning.

    Raises:
        UsageError: the run cannot be written, and the result has no other place; as `writer`.

    """
    if not os.access(run.path, os.W_OK):
        if output is None:
            raise UsageError(f"{run.path}: cannot be written: --no-log only looks at the run")
        console.warn(f"not logged: {run.path} cannot be written")
        return None
    writing = writer(choose_uri(tracking_uri, run), console, imports=("mlflow",))
    writing.start()
    return writing


def publish(run: Run, writing: WriterProcess, console: Console) -> None:
    """Publish what a command has added to `run`; raises as `closed` does."""
    writing.notify(run)
    with closed(writing, [run], console, patience=10):
        pass


@contextmanager
def closed(
    writing: WriterProcess, runs: list[Run], console: Console, patience: float = 30.0
) -> Iterator[None]:
    """Bring MLflow up to date, then let the context tell the result.

    Raises:
        KeyboardInterrupt: after the result, where it came while MLflow was waited for.
        ResourceError: MLflow lacks some of `runs`, for its disk is full.
        Exit: it lacks some for another reason.

    """
    interrupt = None
    try:
        wait_for(writing, console, patience)
    except KeyboardInterrupt as error:
        interrupt = error
        writing.stop(within=0)
    yield
    if interrupt:
        if outstanding(runs, writing.tracking_uri):
            console.warn("stopped: what is trained is kept, and `lenetctl sync` publishes the rest")
        raise interrupt
    _require_current(runs, writing, console)


def wait_for(writing: WriterProcess, console: Console, patience: float = 30.0) -> None:
    """Close a writer and say meanwhile what is waited for."""
    words = "MLflow is brought up to date: Ctrl-C leaves the rest to `lenetctl sync`"
    with nullcontext() if console.quiet else sign_of_life(words):
        writing.close(patience)


def _require_current(runs: list[Run], writing: WriterProcess, console: Console) -> None:
    if outstanding(runs, writing.tracking_uri):
        remedy = "MLflow is not up to date: run `lenetctl sync`"
        if writing.disk_is_full:
            where = redacted(writing.tracking_uri)
            raise ResourceError(f"{where}: no space left; make room, for {remedy}")
        console.warn(remedy)
        raise typer.Exit(UNPUBLISHED)


def log_report(file: Path, runs: list[Run], tracking_uri: str | None, console: Console) -> None:
    """Keep a report in its run, or, of runs of one sweep, in the run that stands for the sweep.

    Other runs have no place in common: the file alone is theirs.

    Raises:
        Exit: MLflow cannot be reached.

    """
    if len(runs) == 1:
        (run,) = runs
        if writing := start_logging(run, tracking_uri, console, file):
            run.insights.mkdir(exist_ok=True)
            copy_into(run.insights, [file])
            publish(run, writing, console)
        return
    if len({run.record.tags.get(SWEEP) for run in runs}) > 1 or SWEEP not in runs[0].record.tags:
        return
    if not _log_into_parent([file], runs, tracking_uri, console):
        raise typer.Exit(UNPUBLISHED)


def log_search(
    study: Study,
    sizes: Sequence[tuple[int, int, float]],
    runs: list[Run],
    tracking_uri: str | None,
    console: Console,
) -> None:
    """Draw a search into the run that stands for it: Optuna's pictures, and what accuracy costs."""
    with TemporaryDirectory() as folder:
        files = draw_search(study, sizes, VALIDATION_ACCURACY, Path(folder))
        _log_into_parent(files, runs, tracking_uri, console)


def _log_into_parent(
    files: Sequence[Path], runs: list[Run], tracking_uri: str | None, console: Console
) -> bool:
    """Keep files in the run that stands for a sweep; return whether MLflow has them."""
    try:
        log_into_parent(open_client(choose_uri(tracking_uri)), runs, files)
    except Exception as error:  # noqa: BLE001  MLflow raises whatever its store does
        names, reason = ", ".join(map(str, files)), useful_line(error)
        console.warn(f"{names} is not in MLflow: {reason}; the same command tries again")
        return False
    return True
