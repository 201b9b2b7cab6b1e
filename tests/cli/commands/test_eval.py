import pytest
from mlflow import MlflowClient

from lenetctl.runs.store import RunStore


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
    quiet = lenetctl("eval", trained.path, "--no-log", "-q")
    assert quiet.out.count("\n") == 1
    assert len(list((trained.path / "evaluations").glob("*.json"))) == 1

    assert lenetctl("eval", "latest", "--split", "validation").code == 2
    assert lenetctl("eval", "latest", "--dataset", "imagenet").code == 2
    assert lenetctl("eval", "latest", "--weights", "best").code == 4
