import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lenetctl.cli.app import main
from lenetctl.tracking.store import open_client
from lenetctl.tracking.writer import Writer

SPEC = """\
data: {dataset: digits, limit: 512, batch_size: 128}
model: {activation: relu}
training: {epochs: 2, optimizer: {kind: sgd, lr: 0.1}}
"""


@dataclass
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory) -> Path:
    """A store with its schema and nothing in it, to be copied: making one takes seconds."""
    path = tmp_path_factory.mktemp("database") / "mlflow.db"
    open_client(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def tracking_uri(empty_database, tmp_path_factory) -> str:
    """One store for all tests."""
    return f"sqlite:///{shutil.copy(empty_database, tmp_path_factory.mktemp('store'))}"


@pytest.fixture
def own_store(empty_database, tmp_path, monkeypatch) -> Path:
    """The store of a project, in its default place.

    By its whole path: in one process MLflow takes `sqlite:///mlflow.db` for the same file, always.
    """
    file = Path(shutil.copy(empty_database, tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{file}")
    return file


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, tracking_uri, monkeypatch) -> None:
    """Work in an empty folder, with no data but the embedded ones."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_uri)
    monkeypatch.setenv("LENETCTL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture(autouse=True)
def writer_in_this_process(monkeypatch) -> Iterator[None]:
    """Publish from a thread, for which MLflow is imported once and not by every command."""
    writers = []

    class Here(Writer):
        def __init__(self, tracking_uri, prepare, warn, _) -> None:
            super().__init__(tracking_uri, prepare, warn)
            writers.append(self)

        def start(self) -> None:
            pass

    monkeypatch.setattr("lenetctl.cli.publishing.WriterProcess", Here)
    yield
    for writer in writers:  # what an interrupt left at work must not reach the next test
        writer.stop(within=10)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the real data, taken before a test moves elsewhere."""
    if "LENETCTL_DATA" not in os.environ:
        pytest.skip("LENETCTL_DATA does not say where the real data are")
    return Path(os.environ["LENETCTL_DATA"])


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    """Write a spec into the working folder."""

    def make(text=SPEC, name="quick.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path.relative_to(tmp_path)

    return make


@pytest.fixture
def lenetctl(monkeypatch, capsys) -> Callable[..., Result]:
    """Run a command line in this process."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["lenetctl", *map(str, arguments)])
        before = signal.getsignal(signal.SIGINT)  # ignored after an interrupt
        with pytest.raises(SystemExit) as end:
            main()
        signal.signal(signal.SIGINT, before)
        captured = capsys.readouterr()
        return Result(int(end.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def process() -> Callable[..., Result]:
    """Run a command line in a process of its own, where that is the point."""

    def run(*arguments, **environment):
        command = [sys.executable, "-c", "from lenetctl.cli.app import main; main()"]
        done = subprocess.run(
            [*command, *map(str, arguments)],
            capture_output=True,
            timeout=120,
            env=os.environ | environment,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run
