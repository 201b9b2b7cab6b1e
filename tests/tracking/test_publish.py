import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mlflow.pyfunc
import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from lenetctl import specs
from lenetctl.artifacts import draw_evaluation
from lenetctl.errors import NotFoundError
from lenetctl.runs.evaluate import evaluate_run
from lenetctl.runs.folder import Run
from lenetctl.runs.records import PublishedRecord
from lenetctl.tracking import publish as module
from lenetctl.tracking import run_entry, store
from lenetctl.tracking.publish import is_current, publish


def logged(client, run):
    return client.get_run(run.published.run_id)


def history(client, run):
    """Return (step, value) of each point of each metric."""
    info = logged(client, run)
    return {
        key: [(m.step, m.value) for m in client.get_metric_history(info.info.run_id, key)]
        for key in info.data.metrics
    }


def artifacts(client, run, path=""):
    found = []
    for item in client.list_artifacts(run.published.run_id, path or None):
        found += artifacts(client, run, item.path) if item.is_dir else [item.path]
    return sorted(found)


def models(client, run):
    experiment = logged(client, run).info.experiment_id
    return client.search_logged_models([experiment])


def runs(client):
    """Return every run but the parents of sweeps."""
    found = client.search_runs([e.experiment_id for e in client.search_experiments()])
    return [run for run in found if run_entry.KEY in run.data.tags]


class Cut(MlflowClient):
    """A client whose connection breaks at the first call of one method."""

    def __init__(self, uri, at):
        super().__init__(uri)
        self._at = at

    def __getattribute__(self, name):
        if name != "_at" and name == self._at:
            raise ConnectionError(name)
        return super().__getattribute__(name)


@pytest.fixture(scope="module")
def published(finished, empty_database, tmp_path_factory):
    """The finished run in a store of its own, for tests that only look."""
    folder = tmp_path_factory.mktemp("published")
    run = Run(Path(shutil.copytree(finished.path, folder / finished.path.name)))
    uri = f"sqlite:///{shutil.copy(empty_database, folder / 'mlflow.db')}"
    client = store.open_client(uri)
    client.create_experiment("lenet", artifact_location=(folder / "artifacts").as_uri())
    publish(client, uri, run)
    assert is_current(run, uri)
    return client, run, folder


def test_every_key_of_the_spec_is_a_param(published):
    client, run, _ = published
    params = logged(client, run).data.params
    assert params == {key: str(value) for key, value in specs.flatten(run.spec()).items()}
    assert params["training.optimizer.lr"] == "0.1"
    assert params["model.conv.0.channels"] == "6"


def test_every_metric_of_every_epoch_is_there_at_its_step(published):
    client, run, _ = published
    points = history(client, run)
    for line in run.epochs():
        for key, value in line.items():
            if key not in ("epoch", "time"):
                assert (line["epoch"], value) in points[key]
    for key in ("train/loss", "train/accuracy", "test/loss", "test/accuracy"):
        assert [step for step, _ in points[key]] == [1, 2]
    assert {"learning_rate", "examples_per_second", "epoch_seconds"} <= points.keys()
    result = run.result
    assert points["best/epoch"] == [(2, result.best["epoch"])]
    assert points["best/test/accuracy"] == [(2, result.best["test/accuracy"])]
    assert points["final/train/loss"] == [(2, result.final["train/loss"])]


def test_name_status_times_and_tags(published):
    client, run, _ = published
    found, record = logged(client, run), run.record
    assert found.info.run_name == "quick-s0"
    assert found.info.status == "FINISHED"
    assert found.info.start_time == record.created
    assert found.info.end_time == run.status.ended
    tags = found.data.tags
    assert tags["lenetctl.spec_sha256"] == specs.sha256(run.spec())
    assert tags["lenetctl.parameters"] == "61706"
    assert tags["lenetctl.device"] == record.device
    assert tags["lenetctl.engine"] == record.engine
    assert tags["lenetctl.sweep"] == "x"
    assert tags["lenetctl.command"] == "lenetctl train quick.yaml"
    assert tags["mlflow.note.content"] == "A spec for tests."
    assert tags["outcome"] == "finished"
    assert {"torch.version", "lenetctl.version", "mlflow.source.git.commit", "git.dirty"} <= set(
        tags
    )


def test_the_data_set_is_an_input_with_its_digest(published):
    client, run, _ = published
    (given,) = logged(client, run).inputs.dataset_inputs
    assert given.dataset.name == "digits"
    assert run.record.data.digest.startswith(given.dataset.digest)
    assert json.loads(given.dataset.profile)["train"] == 512


def test_artifacts_are_complete_and_none_is_a_pickle(published):
    client, run, folder = published
    found = artifacts(client, run)
    wanted = {"spec.yaml", "shapes.md", "predictions.npy", "curves.png", "confusion_matrix.png"}
    assert wanted <= set(found)
    local = Path(client.download_artifacts(run.published.run_id, "", str(folder)))
    assert specs.load_spec(local / "spec.yaml") == run.spec()
    assert "61,706" in (local / "shapes.md").read_text()
    for picture in ("curves.png", "confusion_matrix.png"):
        assert (local / picture).read_bytes().startswith(b"\x89PNG")
    (model,) = (folder / "artifacts/models").iterdir()
    assert len(list(model.glob("artifacts/artifacts/*.safetensors"))) == 1
    assert sum(path.stat().st_size for path in model.rglob("*")) < 400_000
    for path in [*local.rglob("*"), *model.rglob("*")]:
        assert path.suffix not in {".pkl", ".pickle", ".pt", ".pth", ".bin"}
        # protocol 2 and up, and the zip archive that torch.save writes
        assert not path.is_file() or not path.read_bytes().startswith((b"\x80", b"PK"))


def test_a_run_that_ends_while_it_is_published_is_drawn_first(client, uri, copied, monkeypatch):
    ended = copied.status
    copied.set_status("RUNNING")

    def slow(client, run):
        copied.write_record(ended)
        return run_entry.find_or_create(client, run)

    def draw(run):
        (run.figures / "drawn.png").write_bytes(b"")

    monkeypatch.setattr(module, "find_or_create", slow)
    publish(client, uri, copied, draw)
    publish(client, uri, copied, draw)
    assert is_current(copied, uri)
    assert "drawn.png" in artifacts(client, copied)


def test_publishing_twice_changes_nothing(client, uri, copied):
    publish(client, uri, copied)
    before = (
        history(client, copied),
        artifacts(client, copied),
        logged(client, copied).to_dictionary(),
    )
    cursor = copied.published
    publish(client, uri, copied)
    after = (
        history(client, copied),
        artifacts(client, copied),
        logged(client, copied).to_dictionary(),
    )
    assert after == before
    assert copied.published == cursor
    assert len(runs(client)) == 1


def test_processes_that_publish_a_run_at_once_make_one(client, uri, copied):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: publish(store.open_client(uri), uri, copied), range(4)))
    assert is_current(copied, uri)
    assert len(runs(client)) == len(models(client, copied)) == 1


def test_a_run_that_was_deleted_is_not_made_anew(client, uri, copied):
    shutil.rmtree(copied.path)
    with pytest.raises(NotFoundError):
        publish(client, uri, copied)
    assert not copied.path.exists()


def test_a_lost_cursor_finds_the_run_again(client, uri, copied):
    publish(client, uri, copied)
    before = history(client, copied), logged(client, copied).to_dictionary()
    (copied.path / "published.json").unlink()
    publish(client, uri, copied)
    assert (history(client, copied), logged(client, copied).to_dictionary()) == before
    assert len(runs(client)) == 1


def test_with_the_database_gone_the_same_run_is_made_again(uri, empty_database, tmp_path, copied):
    first = store.open_client(uri)
    publish(first, uri, copied)
    there = f"sqlite:///{shutil.copy(empty_database, tmp_path / 'other.db')}"
    other = store.open_client(there)
    before, points, files = logged(first, copied), history(first, copied), artifacts(first, copied)
    copied.write_record(
        copied.published.model_copy(update={"tracking_uri": there})
    )  # of no run there
    publish(other, there, copied)
    after = logged(other, copied)
    assert history(other, copied) == points
    assert artifacts(other, copied) == files
    assert after.data.params == before.data.params
    ours = [key for key in before.data.tags if not key.startswith("mlflow.")]
    assert {k: after.data.tags[k] for k in ours} == {k: before.data.tags[k] for k in ours}
    assert (after.info.status, after.info.start_time) == (
        before.info.status,
        before.info.start_time,
    )
    assert is_current(copied, there)
    assert not is_current(copied, uri)


@pytest.mark.parametrize(
    "at",
    [
        "log_batch",
        "log_inputs",
        "create_logged_model",
        "log_model_artifacts",
        "finalize_logged_model",
        "log_outputs",
        "log_artifact",
        "set_terminated",
    ],
)
def test_broken_off_anywhere_and_tried_again_gives_one_whole_run(client, uri, copied, at):
    with pytest.raises(ConnectionError, match=at):
        publish(Cut(uri, at), uri, copied)
    assert not is_current(copied, uri)
    publish(client, uri, copied)
    assert is_current(copied, uri)
    (found,) = runs(client)
    assert found.info.status == "FINISHED"
    assert len(found.data.params) == len(specs.flatten(copied.spec()))
    assert len(found.inputs.dataset_inputs) == 1
    for key, points in history(client, copied).items():
        assert len(points) == len(set(points)), key
    assert [step for step, _ in history(client, copied)["train/loss"]] == [1, 2]
    (model,) = models(client, copied)
    assert model.status == "READY"
    assert len(found.outputs.model_outputs) == 1


@pytest.mark.parametrize(("at_once", "steps"), [(1000, [[1, 2]]), (10, [[1], [2]])])
def test_epochs_that_wait_are_sent_together(client, uri, copied, monkeypatch, at_once, steps):
    sent = []

    class Counting(MlflowClient):
        def log_batch(self, run_id, metrics=(), params=(), tags=()):
            sent.append(sorted({metric.step for metric in metrics}))
            super().log_batch(run_id, metrics, params, tags)

    monkeypatch.setattr("lenetctl.tracking.publish.METRICS_AT_ONCE", at_once)
    copied.set_status("RUNNING")
    assert {len(line) for line in copied.epochs()} == {9}  # of them two are epoch and time
    publish(Counting(uri), uri, copied)
    assert [these for these in sent if these] == steps
    assert is_current(copied, uri)


def test_an_epoch_sent_before_its_cursor_was_written_is_stored_once(client, uri, copied):
    publish(client, uri, copied)
    before = history(client, copied)
    done = copied.published
    cursor = PublishedRecord(tracking_uri=done.tracking_uri, run_id=done.run_id, epochs=1)
    copied.write_record(cursor)
    publish(client, uri, copied)
    assert history(client, copied) == before


def test_another_folder_of_the_same_name_is_another_run(client, uri, copied):
    publish(client, uri, copied)
    (copied.path / "published.json").unlink()
    later = copied.record.created + 1
    copied.write_record(copied.record.model_copy(update={"created": later}))
    publish(client, uri, copied)
    assert len(runs(client)) == 2


def test_killed_resumed_and_finished_is_one_run_without_gaps(client, uri, digits, start, tmp_path):
    spec = digits(epochs=3)
    run = start(spec, tmp_path / "runs", stop_after=2)
    publish(client, uri, run)
    found = logged(client, run)
    assert found.info.status == "KILLED"
    assert found.info.end_time == run.status.ended
    assert found.data.tags["outcome"] == "killed"
    assert list(models(client, run)) == []

    run.set_status("RUNNING")
    publish(client, uri, run)
    assert logged(client, run).info.status == "RUNNING"

    start(spec, tmp_path / "runs", resume=run)
    publish(client, uri, run)
    assert len(runs(client)) == 1
    assert logged(client, run).info.status == "FINISHED"
    assert [step for step, _ in history(client, run)["train/loss"]] == [1, 2, 3]
    assert is_current(run, uri)


def test_a_failed_run_says_so(client, uri, copied):
    copied.set_status("FAILED", "diverged", "DivergedError: the training loss became nan")
    publish(client, uri, copied)
    found = logged(client, copied)
    assert found.info.status == "FAILED"
    assert found.data.tags["outcome"] == "diverged"


def test_with_a_validation_split_the_test_metrics_are_those_of_the_end(
    client, uri, digits, start, tmp_path
):
    run = start(digits("validated", data={"validation": 100}), tmp_path / "runs")
    publish(client, uri, run)
    points = history(client, run)
    assert [step for step, _ in points["validation/accuracy"]] == [1, 2]
    assert points["test/accuracy"] == [(2, run.result.final["test/accuracy"])]
    assert points["best/test/accuracy"] == points["final/test/accuracy"] == points["test/accuracy"]


def test_evaluations_are_logged_once_and_again_when_they_change(client, uri, copied):
    publish(client, uri, copied)
    measured = evaluate_run(copied, None, "train", None, None, "cpu")
    draw_evaluation(copied, measured)
    assert not is_current(copied, uri)
    publish(client, uri, copied)
    publish(client, uri, copied)
    assert is_current(copied, uri)
    key = "eval/digits-train-last/accuracy"
    assert history(client, copied)[key] == [(0, measured.accuracy)]
    found = artifacts(client, copied)
    assert "evaluations/digits-train-last.json" in found
    assert "evaluations/digits-train-last.png" in found
    draw_evaluation(copied, measured.model_copy(update={"accuracy": 0.5}))
    assert not is_current(copied, uri)
    publish(client, uri, copied)
    assert is_current(copied, uri)
    assert history(client, copied)[key][-1] == (0, 0.5)


def test_tags_of_the_user_follow_and_the_sweeps_stays(client, uri, copied):
    publish(client, uri, copied)
    kept = copied.record.tags
    for own in ({"who": "Ann", "good": "yes"}, {"who": "Bo"}, {}):
        copied.write_record(copied.record.model_copy(update={"tags": {**kept, **own}}))
        assert not is_current(copied, uri)
        publish(client, uri, copied)
        assert is_current(copied, uri)
        tags = client.get_run(copied.published.run_id).data.tags
        assert {key: tags[key] for key in ("who", "good") if key in tags} == own
        assert tags["lenetctl.sweep"] == "x"


def test_a_tag_that_mlflow_lost_already_is_no_fault(client, uri, copied):
    copied.write_record(copied.record.model_copy(update={"tags": {"who": "Ann"}}))
    publish(client, uri, copied)
    client.delete_tag(copied.published.run_id, "who")
    copied.write_record(copied.record.model_copy(update={"tags": {}}))
    publish(client, uri, copied)
    assert is_current(copied, uri)


def test_a_long_description_does_not_stop_a_run(client, uri, copied):
    text = specs.to_yaml(copied.spec().model_copy(update={"description": "x" * 10_000}))
    (copied.path / "spec.yaml").write_text(text)
    publish(client, uri, copied)
    assert is_current(copied, uri)


def test_an_experiment_made_by_another_process_in_between_is_used(client, uri, copied, monkeypatch):
    client.create_experiment("lenet")
    asked = iter([None])
    original = client.get_experiment_by_name
    monkeypatch.setattr(
        client, "get_experiment_by_name", lambda name: next(asked, None) or original(name)
    )
    publish(client, uri, copied)
    assert is_current(copied, uri)


def test_an_unreachable_store_is_not_taken_for_an_empty_one(client, uri, copied):
    publish(client, uri, copied)
    with pytest.raises(ConnectionError):
        publish(Cut(uri, "get_run"), uri, copied)
    with pytest.raises(MlflowException):
        client.get_run("0" * 32)
    assert len(runs(client)) == 1
    assert run_entry.KEY in logged(client, copied).data.tags


def test_a_sqlite_store_that_is_not_there_has_nothing(client, uri, copied, tmp_path):
    publish(client, uri, copied)
    assert is_current(copied, uri)
    (tmp_path / "mlflow.db").unlink()
    assert not is_current(copied, uri)


def test_the_net_is_one_logged_model_with_the_runs_metrics(client, uri, copied, monkeypatch):
    publish(client, uri, copied)
    (copied.path / "published.json").unlink()
    publish(client, uri, copied)
    run_id = copied.published.run_id
    (model,) = models(client, copied)
    assert (model.name, model.source_run_id, model.status) == ("model", run_id, "READY")
    (output,) = logged(client, copied).outputs.model_outputs
    assert (output.model_id, output.step) == (model.model_id, 2)
    metrics = {metric.key: metric.value for metric in model.metrics}
    result = copied.result
    assert metrics["test/accuracy"] == metrics["final/test/accuracy"]
    assert metrics["best/test/accuracy"] == result.best["test/accuracy"]
    assert model.params["model.activation"] == "relu"

    draw_evaluation(copied, evaluate_run(copied, None, "train", None, None, "cpu"))
    publish(client, uri, copied)
    (model,) = models(client, copied)
    assert "eval/digits-train-last/accuracy" in {metric.key for metric in model.metrics}

    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    mlflow.set_tracking_uri(uri)
    mlflow.register_model(f"runs:/{run_id}/model", "lenet")
    images = np.zeros((1, 28, 28), np.float32)
    names = (f"runs:/{run_id}/model", f"models:/{model.model_id}", "models:/lenet/1")
    answers = [mlflow.pyfunc.load_model(name).predict(images).tolist() for name in names]
    assert answers[0] == answers[1] == answers[2]
