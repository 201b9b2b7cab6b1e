import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from mlflow import MlflowClient

from lenetctl.artifacts import draw
from lenetctl.runs.callbacks import RunCallback
from lenetctl.runs.execute import execute
from lenetctl.runs.folder import Run
from lenetctl.runs.options import RunOptions
from lenetctl.runs.store import RunStore
from lenetctl.specs.schema import Spec
from lenetctl.tracking import store


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def digits() -> Callable[..., Spec]:
    """Make a spec on the embedded digits; keywords go to its training section."""

    def make(name="quick", data=(), **training):
        return Spec.model_validate(
            {
                "name": name,
                "description": "A spec for tests.",
                "data": {"dataset": "digits", "limit": 512, "batch_size": 128, **dict(data)},
                "model": {"activation": "relu"},
                "training": {"epochs": 2, "optimizer": {"kind": "sgd", "lr": 0.1}, **training},
            }
        )

    return make


@pytest.fixture(scope="session")
def start() -> Callable[..., Run]:
    """Execute a spec below a folder, up to the end or to an interrupt after an epoch."""

    def make(spec, root, stop_after=None, resume=None, **options):
        class Stop(RunCallback):
            def on_epoch_end(self, run, result):
                if result.epoch == stop_after:
                    raise KeyboardInterrupt

        with suppress(KeyboardInterrupt):
            draw(execute(spec, RunOptions(root, device="cpu", **options), Stop(), resume))
        return resume or RunStore(root).all()[-1]

    return make


@pytest.fixture(scope="session")
def finished(digits, start, tmp_path_factory) -> Run:
    """A finished run; a test that publishes it copies it first."""
    root = tmp_path_factory.mktemp("finished")
    return start(digits(), root, command="lenetctl train quick.yaml", tags={"lenetctl.sweep": "x"})


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory) -> Path:
    """A store with its schema and nothing in it, to be copied: making one takes seconds."""
    path = tmp_path_factory.mktemp("database") / "mlflow.db"
    store.open_client(f"sqlite:///{path}")
    return path


@pytest.fixture
def uri(empty_database, tmp_path) -> str:
    """A store of the test's own; its artifacts go below the test's folder."""
    return f"sqlite:///{shutil.copy(empty_database, tmp_path / 'mlflow.db')}"


@pytest.fixture
def client(uri) -> MlflowClient:
    return store.open_client(uri)


@pytest.fixture
def copied(finished, tmp_path) -> Run:
    return Run(Path(shutil.copytree(finished.path, tmp_path / finished.path.name)))
