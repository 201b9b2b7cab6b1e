"""`lenetctl runs export`: runs as a table for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded
from lenetctl.errors import NotFoundError


@guarded
def export(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="FILE.csv, FILE.json or FILE.parquet.")
    ],
    where: options.Where = None,
    quiet: options.Quiet = False,
) -> None:
    """Write a row a run, with all that is known of it: spec, metrics, versions, tags."""
    from lenetctl.artifacts.table import write_table
    from lenetctl.cli.console import Console
    from lenetctl.runs.listing.conditions import choose_rows
    from lenetctl.runs.listing.rows import list_runs
    from lenetctl.runs.store import RunStore

    console, store = Console(quiet=quiet), RunStore()
    rows = choose_rows(list_runs(store.root, console.warn), where or ())
    if not rows:
        raise NotFoundError(f"{file}: no runs to export{store.elsewhere()}")
    write_table(rows, file)
    console.say(f"{file}: {len(rows)} runs")
