"""`lenetctl runs import`: other people's runs, beside one's own."""

from pathlib import Path
from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded
from lenetctl.errors import LenetctlError, NotFoundError, UsageError


@guarded
def import_runs(
    folders: Annotated[
        list[Path], typer.Argument(metavar="FOLDER...", help="With runs in them, however deep.")
    ],
    user: Annotated[
        str | None,
        typer.Option("--user", metavar="NAME", help="Whose they are; default: who trained them."),
    ] = None,
    by_folder: Annotated[
        bool, typer.Option("--by-folder", help="The name of each FOLDER is its user.")
    ] = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Copy other people's runs into this project; a second time brings nothing twice.

    `compare --group-by user` then compares people, and `lenetctl sync` publishes the runs.
    """
    from lenetctl.cli.console import Console
    from lenetctl.runs.folder import Run
    from lenetctl.runs.store import RunStore

    if user and by_folder:
        raise UsageError("--user and --by-folder: choose one")
    console = Console(as_json=as_json, quiet=quiet)
    imported: list[str] = []
    known: list[str] = []
    damaged: list[str] = []
    for folder in folders:
        found = [Run(file.parent) for file in sorted(folder.rglob("run.json"))]
        if not found:
            console.warn(f"{folder}: no runs in it")
        name = folder.resolve().name
        for run in found:
            try:
                whose = name if by_folder else user or run.record.user or name
                made = RunStore().import_run(run, whose)
            except LenetctlError as error:
                console.warn(f"skipped: {error}")
                damaged.append(str(run.path))
            else:
                (imported if made else known).append((made or run).path.name)
    if not imported and not known:
        raise NotFoundError("no run was brought in")
    console.result(
        {"imported": imported, "known": known, "damaged": damaged},
        f"{len(imported)} imported, {len(known)} here already, {len(damaged)} damaged",
    )
    if imported:
        console.say("next: lenetctl sync, lenetctl compare --group-by user")
