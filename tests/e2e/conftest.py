import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lenetctl.tracking import store

BIN = Path(sys.executable).parent
SPEC = """\
data: {dataset: digits, limit: 512, batch_size: 128}
model: {activation: relu}
training: {epochs: 60, optimizer: {kind: sgd, lr: 0.1}}
"""


@pytest.fixture
def project(tmp_path) -> Path:
    """An empty folder with a spec in it, as a user has it."""
    (tmp_path / "quick.yaml").write_text(SPEC)
    return tmp_path


@pytest.fixture(scope="session")
def database(tmp_path_factory) -> Path:
    """A store with nothing but its schema, to be copied: making one takes seconds."""
    path = tmp_path_factory.mktemp("database") / "mlflow.db"
    store.open_client(f"sqlite:///{path}")
    return path


@pytest.fixture
def start(project) -> Callable[..., subprocess.Popen]:
    """Start a command of the environment in the project's folder; what is left is killed."""
    started = []
    unset = {"MLFLOW_TRACKING_URI", "LENETCTL_DATA", "COLUMNS"}
    environment = {key: value for key, value in os.environ.items() if key not in unset}
    environment |= {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "PYTHONUNBUFFERED": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }

    def begin(*command):
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=project,
            # a shell's background job, and so all it starts, has interrupts ignored
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def run_to_end(start) -> Callable[..., str]:
    """Run a command that must succeed and return what it prints."""

    def run(*command):
        process = start(*command)
        out, err = process.communicate(timeout=180)
        assert process.returncode == 0, err
        return out

    return run
