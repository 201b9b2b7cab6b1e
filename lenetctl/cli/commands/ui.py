"""`lenetctl ui`: MLflow's own UI on the right store."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded
from lenetctl.errors import UsageError

HOST = "127.0.0.1"


@guarded
def ui(
    port: Annotated[int, typer.Option("--port", min=1, max=65535)] = 5000,
    show: Annotated[
        bool, typer.Option("--open/--no-open", help="Show it in a browser, from a terminal.")
    ] = True,
    tracking_uri: options.TrackingUri = None,
) -> None:
    """Open MLflow's UI on the runs of this folder, for this machine only (127.0.0.1)."""
    from lenetctl.cli.console import Console
    from lenetctl.cli.publishing import catch_up, wait_for, writer
    from lenetctl.processes import end_tree
    from lenetctl.runs.store import RunStore
    from lenetctl.tracking.moved import follow_move
    from lenetctl.tracking.uri import choose_uri, redacted, sqlite_file

    where, here = choose_uri(tracking_uri), Path.cwd()  # MLflow would fail in one that is gone
    console = Console()
    is_server = where.startswith("http")
    if not is_server:
        _require_free(port)  # else the browser shows what another command serves there
    if RunStore().all():
        writing = writer(tracking_uri, console)
        catch_up(writing)
        wait_for(writing, console, patience=10)
    if is_server:
        console.say(f"the runs are at {redacted(where)}")
        return
    file = sqlite_file(where)
    if file and file.exists():
        follow_move(file)
    address = f"http://{HOST}:{port}/training"  # see tracking/pages.py
    console.say(f"{address} (Ctrl-C ends it)")
    os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")  # no queues to run here
    server = [sys.executable, "-m", "mlflow", "ui", "--host", HOST, "--port", str(port)]
    # one worker for one user: each of MLflow's four would import all of it
    given = ["--app-name", "lenetctl", "--workers", "1", "--backend-store-uri", where]
    if hangup := getattr(signal, "SIGHUP", None):  # a closed terminal
        signal.signal(hangup, signal.getsignal(signal.SIGTERM))
    process = subprocess.Popen([*server, *given], cwd=here, start_new_session=True)
    if show and console.rich.is_terminal and _has_display():
        threading.Thread(target=_launch, args=(process, port, address), daemon=True).start()
    try:
        raise typer.Exit(process.wait())
    finally:  # MLflow leaves its own children behind
        end_tree(process.pid)


def _has_display() -> bool:
    """Return whether there are windows: without any, Linux shows pages in the terminal itself."""
    return sys.platform != "linux" or bool({"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys())


def _launch(process: subprocess.Popen[bytes], port: int, address: str) -> None:
    """Show `address` in the user's browser once the server answers; give up where it ends."""
    while process.poll() is None:
        with suppress(OSError), socket.create_connection((HOST, port)):
            typer.launch(address)
            return
        time.sleep(0.2)


def _require_free(port: int) -> None:
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        with socket.create_server((HOST, 0)) as other:
            free = other.getsockname()[1]
        raise UsageError(f"--port {port}: {error.strerror}; --port {free} is free") from None
