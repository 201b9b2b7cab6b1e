import shutil

import pytest
from mlflow import MlflowClient

from lenetctl.runs.store import ROOT, RunStore


@pytest.fixture
def trained(lenetctl, write):
    assert lenetctl("train", write(), "--smoke", "-q").code == 0
    return RunStore().all()[0]


def test_a_run_is_measured_shown_and_logged(lenetctl, trained, tracking_uri):
    logged = lenetctl("eval", "latest", "--json")
    assert logged.code == 0, logged.err
    document = logged.json
    keys = {"run_id", "dataset", "split", "loss", "accuracy", "per_class", "confusion"}
    assert document.keys() >= keys
    assert all(s.keys() >= {"precision", "recall", "count"} for s in document["per_class"].values())
    assert document["run_id"] == trained.published.run_id
    assert document["accuracy"] == trained.result.final["test/accuracy"]
    found = MlflowClient(tracking_uri).get_run(document["run_id"])
    assert found.data.metrics["eval/digits-test-last/accuracy"] == document["accuracy"]

    by_id = lenetctl("eval", document["run_id"][:8], "--no-log", "--split", "train")
    assert by_id.code == 0, by_id.err
    assert by_id.out.startswith("digits train: loss ")
    assert by_id.out.count("\n") > 10
    quiet = lenetctl("eval", trained.path, "--no-log", "-q", "--tta")
    assert quiet.out.startswith("digits test, mirrored too: loss ")
    assert quiet.out.count("\n") == 1
    assert len(list((trained.path / "evaluations").glob("*.json"))) == 1

    assert lenetctl("eval", "latest", "--split", "validation").code == 2
    assert lenetctl("eval", "latest", "--dataset", "imagenet").code == 2
    assert lenetctl("eval", "latest", "--weights", "best").code == 4


def test_a_run_of_another_project_is_logged_into_its_own_store(
    lenetctl, write, own_store, tmp_path, monkeypatch
):
    there = tmp_path / "there"
    there.mkdir()
    shutil.copy(own_store, there / "mlflow.db")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    spec = write().absolute()
    monkeypatch.chdir(there)
    uri = f"sqlite:///{there / 'mlflow.db'}"
    assert lenetctl("train", spec, "--smoke", "-q", "--tracking-uri", uri).code == 0
    (run,) = RunStore().all()
    before = run.published
    monkeypatch.chdir(tmp_path)
    run = RunStore(there / ROOT).all()[0]
    assert lenetctl("eval", run.path, "-q").code == 0
    metrics = MlflowClient(uri).get_run(before.run_id).data.metrics
    assert "eval/digits-test-last/accuracy" in metrics
    assert run.published.tracking_uri == before.tracking_uri == "sqlite:///mlflow.db"
