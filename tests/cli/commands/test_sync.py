import shutil

import pytest
from mlflow import MlflowClient

from lenetctl.runs.store import ROOT, RunStore


@pytest.fixture
def client(own_store):
    return MlflowClient(f"sqlite:///{own_store}")


@pytest.fixture
def trained(own_store, lenetctl, write):
    assert lenetctl("train", write(), "--smoke", "-q").code == 0
    return RunStore().all()[0]


def entry(client, run):
    return client.get_run(run.published.run_id)


def test_a_store_that_was_made_anew_gets_every_run(
    lenetctl, trained, client, own_store, empty_database
):
    before = entry(client, trained)
    shutil.copyfile(empty_database, own_store)
    result = lenetctl("sync", "--json")
    assert result.json == {"published": [trained.path.name], "outstanding": []}
    after = entry(client, trained)
    assert after.data.metrics == before.data.metrics
    assert after.info.run_id != before.info.run_id
    assert lenetctl("sync", "--json").json == {"published": [], "outstanding": []}


def test_a_run_folder_from_elsewhere_is_published_here(
    lenetctl, trained, client, own_store, empty_database, tmp_path, monkeypatch
):
    there = tmp_path / "there"
    shutil.copytree(trained.path, there / ROOT / trained.path.name)
    shutil.copyfile(empty_database, own_store)  # the cursor speaks of another store of that name
    monkeypatch.chdir(there)
    result = lenetctl("sync", "--json")
    assert result.json == {"published": [trained.path.name], "outstanding": []}
    (run,) = RunStore().all()
    metrics = entry(client, run).data.metrics
    assert metrics["test/accuracy"] == run.result.final["test/accuracy"]


def test_a_store_that_is_put_back_from_an_older_copy_gets_what_it_lacks(
    lenetctl, trained, client, own_store, tmp_path
):
    client.update_run(trained.published.run_id, "RUNNING")
    shutil.copy(own_store, tmp_path / "older.db")
    client.set_terminated(trained.published.run_id)
    shutil.copyfile(tmp_path / "older.db", own_store)
    assert lenetctl("sync", "--json").json["published"] == [trained.path.name]
    assert entry(client, trained).info.status == "FINISHED"


def test_artifacts_that_are_gone_are_logged_again(lenetctl, trained, client, tmp_path):
    (model,) = tmp_path.glob("mlruns/*/*/artifacts")
    shutil.rmtree(model)
    assert lenetctl("sync", "--json").json["published"] == [trained.path.name]
    assert client.list_artifacts(trained.published.run_id)


def test_a_store_that_cannot_be_asked_is_5(lenetctl, trained, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    result = lenetctl("sync", "--tracking-uri", "http://ann:secret@127.0.0.1:1")
    assert result.code == 5
    (line,) = [line for line in result.err.splitlines() if line.startswith("error: ")]
    assert line == (
        "error: http://***@127.0.0.1:1 does not say what it has: [Errno 111] Connection refused"
    )
