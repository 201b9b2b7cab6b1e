"""`lenetctl runs ls`: which runs there are."""

from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded


@guarded
def ls(
    where: options.Where = None,
    column: Annotated[
        list[str] | None,
        typer.Option("-c", "--column", metavar="KEY", help="One more column; repeatable."),
    ] = None,
    sort: Annotated[
        str, typer.Option("--sort", metavar="KEY", help="The column by which, the most last.")
    ] = "created",
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """List the runs of this project, the newest last; with -q their names alone.

    A column is a key of the spec, a metric of the last epoch, as best/METRIC of the best one, a tag
    as tags.KEY, or: run, name, status, outcome, experiment, user, created, seconds, device, ….
    """
    from lenetctl.cli.console import Console, echo
    from lenetctl.cli.views.runs.listing import listing
    from lenetctl.runs.listing.conditions import choose_rows, require_column
    from lenetctl.runs.listing.rows import list_runs, plain
    from lenetctl.runs.store import ROOT, RunStore

    console, store = Console(as_json=as_json, quiet=quiet), RunStore()
    everything = list_runs(store.root, console.warn)
    for name in (sort, *(column or ())):
        require_column(name, everything)
    rows = sorted(
        choose_rows(everything, where or ()),
        key=lambda row: _order(plain(row.get(sort))),
    )
    if as_json:
        console.result({"runs": [row.document for row in rows]}, "")
    elif quiet:
        for row in rows:
            echo(row.run.path.name)
    elif not rows:
        console.say("none of them" if everything else f"no runs in {ROOT}{store.elsewhere()}")
    else:
        echo(listing(rows, column or ()))


def _order(cell: str | float | None) -> tuple[int, float, str]:
    """Return what sorts cells: nothing and NaN first, then numbers, then text."""
    if cell is None:
        return 0, 0.0, ""
    return (2, 0.0, cell) if isinstance(cell, str) else (1, cell, "")
