"""`lenetctl runs diff`: in what runs differ."""

from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded
from lenetctl.errors import UsageError


@guarded
def diff(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Two runs or more, side by side.")
    ],
    as_json: options.Json = False,
) -> None:
    """Show in what runs differ: keys of the spec, data, machine and versions, metrics."""
    from lenetctl.cli.console import Console
    from lenetctl.cli.find_run import find_run
    from lenetctl.cli.views.runs.differences import differences_document, print_differences
    from lenetctl.runs.listing.rows import RunRow

    if len(runs) < 2:
        raise UsageError("name two runs or more")
    rows = [RunRow.of(find_run(name)) for name in runs]
    if as_json:
        Console(as_json=True).result(differences_document(rows), "")
    else:
        print_differences(rows)
