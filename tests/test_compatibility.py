"""What version 0.1.0 left on a disk is read, gone on with and served."""

import json
import zipfile
from pathlib import Path

import mlflow
import numpy as np
import pytest
import torch

from lenetctl.analysis.groups import ComparedRun
from lenetctl.runs.evaluate import evaluate_run
from lenetctl.runs.execute import execute
from lenetctl.runs.options import RunOptions
from lenetctl.runs.store import RunStore
from lenetctl.runs.weights import read_weights
from lenetctl.tracking.publish import is_current, publish
from lenetctl.tracking.store import open_client

ARCHIVE = Path(__file__).parent / "fixtures" / "runs-0.1.0.zip"


@pytest.fixture
def old(tmp_path, monkeypatch):
    """A finished run, one that was interrupted after the second of three epochs, a model."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def only_run(root):
    (run,) = RunStore(root).all()
    return run


def test_an_interrupted_run_goes_on_to_the_weights_of_the_finished_one(old):
    run, finished = only_run(old / "interrupted"), only_run(old / "finished")
    assert run.status.state == "KILLED"
    execute(run.spec(), RunOptions(old / "interrupted", device="cpu"), resume=run)
    assert run.is_finished
    assert [line["epoch"] for line in run.epochs()] == [1, 2, 3]
    # the machine, and so the last digit, may be another than that of the fixture
    ours, theirs = read_weights(run, "last"), read_weights(finished, "last")
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        torch.testing.assert_close(value, theirs[name], rtol=1e-4, atol=1e-6, msg=name)


def test_a_finished_run_is_compared_and_measured_again(old):
    run = only_run(old / "finished")
    assert ComparedRun.of(run).best["test/accuracy"] == run.result.final["test/accuracy"]
    measured = evaluate_run(run, None, "test", None, None, "cpu")
    assert measured.accuracy == pytest.approx(run.result.final["test/accuracy"], abs=1 / 360)
    assert RunStore(old / "finished").find("tiny-s0") == run


def test_a_finished_run_is_published(old):
    run, uri = only_run(old / "finished"), f"sqlite:///{old / 'mlflow.db'}"
    for file in run.evaluations.glob("*.json"):
        file.with_suffix(".png").touch()  # left out of the fixture for its size
    client = open_client(uri)
    publish(client, uri, run)
    assert is_current(run, uri)
    found = client.get_run(run.published.run_id)
    assert found.info.status == "FINISHED"
    assert found.data.metrics["best/epoch"] == run.result.best["epoch"]
    assert "eval/digits-test-best/accuracy" in found.data.metrics


def test_a_model_is_served(old):
    expected = json.loads((old / "probabilities.json").read_text())
    images = np.linspace(0, 1, 784, dtype=np.float32).reshape(1, 28, 28)
    served = mlflow.pyfunc.load_model(str(old / "model"))
    np.testing.assert_allclose(served.predict(images), expected, rtol=1e-4)
