"""The writer to MLflow as commands use it."""

import typer

from lenetctl.artifacts import draw, warm_up
from lenetctl.cli.console import Console
from lenetctl.cli.errors import UNPUBLISHED
from lenetctl.errors import ResourceError
from lenetctl.runs.folder import Run
from lenetctl.runs.store import RunStore
from lenetctl.tracking.store import choose_uri, redacted
from lenetctl.tracking.writer import outstanding
from lenetctl.tracking.writer_process import WriterProcess


def writer(option: str | None, console: Console) -> WriterProcess:
    """Return a writer to the store that the options name."""
    return WriterProcess(choose_uri(option), draw, console.warn, warm_up)


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


def publish(run: Run, tracking_uri: str | None, console: Console) -> None:
    """Publish what a command has added to `run`; raises as `require_current` does."""
    writing = writer(tracking_uri, console)
    writing.notify(run)
    writing.close(patience=10)
    require_current([run], writing, console)


def require_current(runs: list[Run], writing: WriterProcess, console: Console) -> None:
    """End the command where a closed writer left MLflow without some of `runs`.

    Raises:
        ResourceError: its disk is full.
        Exit: otherwise.

    """
    if outstanding(runs, writing.tracking_uri):
        remedy = "MLflow is not up to date: run `lenetctl sync`"
        if writing.disk_is_full:
            where = redacted(writing.tracking_uri)
            raise ResourceError(f"{where}: no space left; make room, for {remedy}")
        console.warn(remedy)
        raise typer.Exit(UNPUBLISHED)
