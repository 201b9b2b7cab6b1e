import json
import sys
from io import StringIO

import mlflow
import pytest
from helpers import run_folders
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from lenetctl.runs.folder import Run
from lenetctl.runs.store import ROOT, RunStore


@pytest.fixture
def answer(monkeypatch):
    return lambda text: monkeypatch.setattr(sys, "stdin", StringIO(text))


def there():
    return sorted(run.name for run in RunStore().all())


def test_it_asks_first(lenetctl, project, answer):
    answer("n\n")
    result = lenetctl("runs", "rm", "max", "hot")
    assert (result.code, result.out) == (2, "")
    assert f"{ROOT / project[2].path.name}  FINISHED" in result.err
    assert "nothing was deleted" in result.err
    answer("")  # nobody is there
    assert lenetctl("runs", "rm", "max").code == 2
    assert len(there()) == 4
    answer("y\n")
    assert lenetctl("runs", "rm", "max", "hot").code == 0
    assert there() == ["baseline-s0", "baseline-s1"]
    assert not list(ROOT.glob(".removed-*"))


def test_yes_does_not_ask_and_a_run_named_twice_is_one(lenetctl, project):
    result = lenetctl("runs", "rm", "max", "max-s0", "--yes", "--json")
    assert result.json == {"removed": [project[2].path.name]}
    assert len(there()) == 3


def test_none_is_guessed_of_several(lenetctl, project):
    second = run_folders.run(ROOT, "max", 0.9)
    result = lenetctl("runs", "rm", "hot", "max-s0", "--yes")
    assert result.code == 4
    assert second.path.name in result.err
    assert len(there()) == 5
    assert lenetctl("runs", "rm", second.path.name, "--yes").code == 0
    assert len(there()) == 4


def test_one_in_training_stays_and_with_it_all_the_others(lenetctl, project):
    with project[2].held():
        result = lenetctl("runs", "rm", "hot", "max", "--yes")
    assert result.code == 75
    assert project[2].path.name in result.err
    assert len(there()) == 4


def test_one_that_says_running_and_is_dead_goes(lenetctl, project):
    (project[2].path / "status.json").write_text(json.dumps({"status": "RUNNING"}))
    assert lenetctl("runs", "rm", "max", "--yes").code == 0
    assert len(there()) == 3


@pytest.fixture
def trained(lenetctl, write, own_store) -> Run:
    assert lenetctl("train", write(), "--smoke", "-q").code == 0
    return RunStore().find("latest")


def test_mlflow_loses_it_too_and_can_bring_it_back(lenetctl, trained, own_store):
    client, run_id = MlflowClient(f"sqlite:///{own_store}"), trained.published.run_id
    experiment = client.get_run(run_id).info.experiment_id
    assert lenetctl("runs", "rm", "latest", "--yes").code == 0
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    assert client.search_logged_models([experiment]) == []
    client.restore_run(run_id)
    assert lenetctl("sync").code == 0
    assert not there()


def test_the_sweep_that_a_run_was_of_no_longer_counts_it(lenetctl, write, own_store):
    sweep = ("sweep", write(), "-s", "training.epochs=1", "-q")
    assert lenetctl(*sweep, "--seeds", "0,1").code == 0
    client = MlflowClient(f"sqlite:///{own_store}")
    first, second = RunStore().all()
    parent = client.get_run(first.published.run_id).data.tags["mlflow.parentRunId"]

    def counted():
        metrics = client.get_run(parent).data.metrics
        return sum(number for key, number in metrics.items() if key.startswith("runs/"))

    assert counted() == 2
    assert lenetctl("runs", "rm", first.path.name, "--yes").code == 0
    assert counted() == 1
    assert lenetctl("runs", "rm", second.path.name, "--yes").code == 0
    assert client.get_run(parent).info.lifecycle_stage == "deleted"


def test_a_registered_model_stays(lenetctl, trained, own_store):
    uri, run_id = f"sqlite:///{own_store}", trained.published.run_id
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    try:
        mlflow.register_model(f"runs:/{run_id}/model", "kept")
        assert lenetctl("runs", "rm", "latest", "--yes").code == 0
        assert mlflow.pyfunc.load_model("models:/kept/1")
    finally:
        mlflow.set_tracking_uri(None)
        mlflow.set_registry_uri(None)


def test_mlflow_may_keep_it(lenetctl, trained, own_store):
    run_id = trained.published.run_id
    assert lenetctl("runs", "rm", "latest", "--yes", "--keep-mlflow").code == 0
    assert MlflowClient(f"sqlite:///{own_store}").get_run(run_id).info.lifecycle_stage == "active"
    assert not there()


def test_deleted_in_mlflow_already_or_with_its_store_gone(lenetctl, trained, own_store):
    MlflowClient(f"sqlite:///{own_store}").delete_run(trained.published.run_id)
    second = Run(ROOT / "second")
    trained.path.rename(second.path)
    assert lenetctl("runs", "rm", "second", "--yes").code == 0
    published = {"tracking_uri": "sqlite:///gone.db", "run_id": "1" * 32}
    other = run_folders.run(ROOT, "other", 0.5)
    (other.path / "published.json").write_text(json.dumps(published))
    gone = ["--tracking-uri", "sqlite:///gone.db"]
    assert lenetctl("runs", "rm", "other", "--yes", *gone).code == 0
    assert not (own_store.parent / "gone.db").exists()
    assert not there()


def test_what_cannot_be_deleted_in_mlflow_stays(lenetctl, trained, own_store, monkeypatch):
    result = lenetctl("runs", "rm", "latest", "--yes", "--tracking-uri", "sqlite:///other.db")
    assert result.code == 2
    assert "is in MLflow at sqlite:///mlflow.db" in result.err
    assert there()

    def away(self, run_id):
        raise MlflowException("Connection refused")

    monkeypatch.setattr(MlflowClient, "get_run", away)
    result = lenetctl("runs", "rm", "latest", "--yes")
    assert result.code == 5
    assert "Connection refused" in result.err
    assert there()
