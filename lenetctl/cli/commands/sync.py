"""`lenetctl sync`: publish to MLflow what is outstanding."""

from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded


@guarded
def sync(
    runs: Annotated[list[str] | None, typer.Argument(metavar="[RUN]...")] = None,
    tracking_uri: options.TrackingUri = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Publish to MLflow what it does not have; a second time changes nothing."""
    from lenetctl.cli.console import Console
    from lenetctl.cli.find_run import find_run
    from lenetctl.cli.publishing import ask_mlflow, catch_up, closed, writer
    from lenetctl.runs.store import RunStore
    from lenetctl.tracking.writer import outstanding

    console = Console(as_json=as_json, quiet=quiet)
    named = [find_run(name) for name in runs or []]
    writing = writer(tracking_uri, console)
    writing.start()  # it imports MLflow while this process does
    ask_mlflow(writing.tracking_uri, named or RunStore().all(), console)
    behind = catch_up(writing, named)
    with closed(writing, behind, console, patience=10):
        left = outstanding(behind, writing.tracking_uri)
        console.result(
            {
                "published": [run.path.name for run in behind if run not in left],
                "outstanding": [run.path.name for run in left],
            },
            f"{len(behind) - len(left)} published, {len(left)} outstanding",
        )
