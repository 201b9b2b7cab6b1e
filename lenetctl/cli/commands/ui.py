"""`lenetctl ui`: MLflow's own UI on the right store."""

import os
import subprocess
import sys
from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded


@guarded
def ui(
    port: Annotated[int, typer.Option("--port", min=1, max=65535)] = 5000,
    tracking_uri: options.TrackingUri = None,
) -> None:
    """Open MLflow's UI on the runs of this folder, for this machine only (127.0.0.1)."""
    from lenetctl.cli.console import Console
    from lenetctl.cli.publishing import catch_up, wait_for, writer
    from lenetctl.processes import end_tree
    from lenetctl.runs.store import RunStore
    from lenetctl.tracking.uri import choose_uri, redacted

    where = choose_uri(tracking_uri)
    console = Console()
    if RunStore().all():
        writing = writer(tracking_uri, console)
        catch_up(writing)
        wait_for(writing, console, patience=10)
    if where.startswith("http"):
        console.say(f"the runs are at {redacted(where)}")
        return
    console.say(f"http://127.0.0.1:{port} (Ctrl-C ends it)")
    os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")  # no queues to run here
    server = [sys.executable, "-m", "mlflow", "ui", "--host", "127.0.0.1", "--port", str(port)]
    # one worker for one user: each of MLflow's four would import all of it
    command = [*server, "--backend-store-uri", where, "--workers", "1"]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        raise typer.Exit(process.wait())
    finally:  # MLflow leaves its own children behind
        end_tree(process.pid)
