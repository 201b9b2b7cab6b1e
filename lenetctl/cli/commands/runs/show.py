"""`lenetctl runs show`: all about one run."""

from lenetctl.cli import options
from lenetctl.cli.errors import guarded


@guarded
def show(run: options.Run, as_json: options.Json = False, quiet: options.Quiet = False) -> None:
    """Show what RUN is, what became of it, on what machine, and its spec."""
    from lenetctl.cli.console import Console, echo
    from lenetctl.cli.find_run import find_run
    from lenetctl.cli.views.runs.details import details, details_document

    found = find_run(run)
    if as_json:
        Console(as_json=True).result(details_document(found), "")
    else:
        echo(details(found, with_spec=not quiet))
