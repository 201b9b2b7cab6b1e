"""`lenetctl runs rm`: runs that are not wanted any more."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded
from lenetctl.errors import BusyError, LenetctlError, NotFoundError, TrackingError, UsageError

if TYPE_CHECKING:
    from lenetctl.cli.console import Console
    from lenetctl.runs.folder import Run
    from lenetctl.tracking.sweeps.parent import Sweep


@guarded
def rm(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Names, ids, prefixes, folders, latest.")
    ],
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
    keep_mlflow: Annotated[
        bool, typer.Option("--keep-mlflow", help="Only the folders: MLflow keeps what it has.")
    ] = False,
    tracking_uri: options.TrackingUri = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Delete runs for good, their folders and what MLflow has of them; never one in training."""
    from lenetctl.cli.console import Console, echo
    from lenetctl.runs.store import RunStore
    from lenetctl.tracking.sweeps.parent import sweep_of
    from lenetctl.tracking.uri import choose_uri

    console = Console(as_json=as_json, quiet=quiet)
    chosen = list(dict.fromkeys(map(_the_only_one, runs)))
    if busy := [run.path.name for run in chosen if run.is_held()]:
        raise BusyError(f"{', '.join(busy)}: in training; nothing was deleted")
    published = [] if keep_mlflow else [run for run in chosen if run.published.run_id]
    where = {run: choose_uri(tracking_uri, run) for run in published}
    for run in published:
        _require_store(run, where[run])
    where = {run: uri for run, uri in where.items() if _is_there(uri)}
    if not yes:
        for run in chosen:
            echo(f"{run.path}  {run.status.state}", err=True)
        _ask("delete for good?")
    sweeps = {(sweep, where[run]) for run in where if (sweep := sweep_of(run))}
    removed = []
    for run in chosen:
        if run in where:
            _delete_entry(run, where[run])
        RunStore(run.path.parent).remove(run)
        removed.append(run.path.name)
    for sweep, uri in sweeps:
        _tell_parent(sweep, uri, console)
    console.result({"removed": removed}, f"{len(removed)} deleted")


def _the_only_one(wanted: str) -> Run:
    """Return the run that `wanted` names.

    Raises:
        NotFoundError: none or several are: here none is guessed.

    """
    from lenetctl.runs.store import RunStore

    found = RunStore().find_all(wanted)
    if len(found) > 1:
        folders = ", ".join(run.path.name for run in found)
        raise NotFoundError(
            f"{wanted}: {len(found)} runs are called so, name the folder: {folders}"
        )
    return found[0]


def _require_store(run: Run, uri: str) -> None:
    """Refuse to delete from another store than the one that the run is in.

    Raises:
        UsageError: it says where the run is.

    """
    from lenetctl.tracking.uri import redacted, uri_in_cursor

    there = run.published.tracking_uri
    if uri_in_cursor(uri, run) != there:
        raise UsageError(
            f"{run.path.name} is in MLflow at {there}, not at {redacted(uri)}: "
            "name its store with --tracking-uri, or leave it there with --keep-mlflow"
        )


def _is_there(uri: str) -> bool:
    """Return whether there is a store: no new one is made to delete from."""
    from lenetctl.tracking.uri import sqlite_file

    file = sqlite_file(uri)
    return file is None or file.exists()


def _ask(question: str) -> None:
    """Go on after a yes.

    Raises:
        UsageError: the answer is another, or there is nobody to ask.

    """
    from lenetctl.cli.console import echo

    echo(f"{question} [y/N]", err=True)
    answer = sys.stdin.readline() if sys.stdin else ""
    if answer.strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was deleted; --yes does not ask")


def _delete_entry(run: Run, uri: str) -> None:
    """Delete what MLflow has of a run, before its folder: else nothing knew of it any more.

    Raises:
        TrackingError: MLflow cannot be reached.

    """
    from lenetctl.tracking.failures import useful_line
    from lenetctl.tracking.run_entry import delete
    from lenetctl.tracking.store import open_client
    from lenetctl.tracking.uri import redacted

    try:
        delete(open_client(uri), str(run.published.run_id))
    except LenetctlError:
        raise
    except Exception as error:  # MLflow raises whatever its store does
        raise TrackingError(
            f"{run.path.name} is not deleted, nor are those after it: {redacted(uri)}: "
            f"{useful_line(error)}; --keep-mlflow deletes the folders alone"
        ) from error


def _tell_parent(sweep: Sweep, uri: str, console: Console) -> None:
    """Let the run that stands for a sweep tell of the runs that are left."""
    from lenetctl.tracking.failures import useful_line
    from lenetctl.tracking.store import open_client
    from lenetctl.tracking.sweeps.summary import log_sweep

    try:
        log_sweep(open_client(uri), sweep)
    except Exception as error:  # noqa: BLE001  MLflow raises whatever its store does
        console.warn(f"the sweep {sweep.name} still counts what is deleted: {useful_line(error)}")
