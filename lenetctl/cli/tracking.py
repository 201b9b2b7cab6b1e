"""The writer to MLflow as commands use it."""

from pathlib import Path

import typer

from lenetctl.cli.draw import draw
from lenetctl.cli.errors import UNPUBLISHED
from lenetctl.cli.screen import Screen
from lenetctl.runs.collection import every, settle
from lenetctl.runs.folder import Run
from lenetctl.tracking import store
from lenetctl.tracking.writer import Writer, outstanding


def writer(option: str | None, screen: Screen) -> Writer:
    """Return a writer at work on the store that the options name."""
    return Writer(store.uri(option), draw, screen.warn)


def catch_up(root: Path, writing: Writer, runs: list[Run] | None = None) -> list[Run]:
    """End runs whose process died and hand `runs`, else every run, to the writer if it is behind.

    Runs that are still in training are left to their own process.
    """
    settle(root)
    ended = [run for run in runs or every(root) if run.status["status"] != "RUNNING"]
    behind = outstanding(ended, writing.tracking_uri)
    for run in behind:
        writing.notify(run)
    return behind


def publish(run: Run, tracking_uri: str | None, screen: Screen) -> None:
    """Publish what a command has added to `run`; where that fails the command ends with 5."""
    writing = writer(tracking_uri, screen)
    writing.notify(run)
    writing.close(patience=10)
    if outstanding([run], writing.tracking_uri):
        screen.warn("MLflow is not up to date: run `lenetctl sync`")
        raise typer.Exit(UNPUBLISHED)
