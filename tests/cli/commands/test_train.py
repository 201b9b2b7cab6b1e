import json
import re

import pytest
from mlflow import MlflowClient

from lenetctl.runs.execute import execute
from lenetctl.runs.records import PublishedRecord
from lenetctl.runs.store import RunStore


@pytest.fixture
def interrupted(lenetctl, write, monkeypatch):
    """A run of quick.yaml that was interrupted after its first epoch."""

    def stopping(spec, options, callback, resume=None):
        original = callback.on_epoch_end

        def on_epoch_end(run, result):
            original(run, result)
            raise KeyboardInterrupt

        callback.on_epoch_end = on_epoch_end
        return execute(spec, options, callback, resume)

    spec = write()
    with monkeypatch.context() as patched:
        patched.setattr("lenetctl.runs.execute.execute", stopping)
        result = lenetctl("train", spec)
    assert result.code == 130
    (run,) = RunStore().all()
    assert run.status.state == "KILLED"
    assert f"lenetctl train --resume {run.path.name}" in result.err
    return run


def test_the_closing_lines_are_the_books(lenetctl, write, tracking_uri):
    result = lenetctl("train", write())
    assert result.code == 0, result.err
    (run,) = RunStore().all()
    lines = result.out.splitlines()
    assert lines[0].startswith("quick-s0: 61,706 parameters")
    assert re.match(r"epoch 1/2: loss \d\.\d{3}, train acc \d\.\d{3}, test loss", lines[1])
    assert re.match(r"epoch 2/2: ", lines[2])
    assert re.fullmatch(r"loss \d\.\d{3}, train acc \d\.\d{3}, test acc \d\.\d{3}", lines[3])
    assert re.match(r"\d+\.\d examples/sec on ", lines[4])
    assert re.fullmatch(r"best epoch [12], test acc \d\.\d{3}", lines[5])
    rest = "\n".join(lines[6:])
    assert run.published.run_id in rest
    assert str(run.path) in rest
    assert re.search(r"curves   █▁  loss \d\.\d{3} to \d", rest)
    assert re.search(r"\n         [█▁]{2}  test acc 0\.\d{3} to 0\.\d{3}\n", rest)
    assert f"lenetctl ui --tracking-uri {tracking_uri}" in rest
    assert "repeat   lenetctl train quick.yaml" in rest
    assert result.err == ""


def test_the_document_has_the_contracts_keys_and_nothing_else_is_on_stdout(
    lenetctl, write, tracking_uri
):
    result = lenetctl("train", write(), "--json", "--seed", 3)
    assert result.code == 0, result.err
    document = result.json
    assert document.keys() >= {
        *("name", "run_id", "status", "spec_sha256", "folder", "tracking_uri", "parameters"),
        *("examples_per_second", "metrics", "best", "epochs"),
    }
    assert document["name"] == "quick-s3"
    assert document["status"] == "FINISHED"
    assert document["tracking_uri"] == tracking_uri
    wanted = {"train/loss", "train/accuracy", "test/loss", "test/accuracy"}
    assert document["metrics"].keys() >= wanted
    assert document["best"].keys() >= wanted | {"epoch"}
    assert [line["epoch"] for line in document["epochs"]] == [1, 2]
    assert "epoch 2/2" in result.err
    found = MlflowClient(tracking_uri).get_run(document["run_id"])
    assert found.info.status == "FINISHED"
    assert found.data.params["training.seed"] == "3"
    assert found.data.metrics["final/test/accuracy"] == document["metrics"]["test/accuracy"]


def test_overrides_smoke_experiment_and_quiet(lenetctl, write, tracking_uri):
    arguments = ("-s", "training.optimizer.lr=0.05", "--experiment", "others", "-q", "--smoke")
    result = lenetctl("train", write(), *arguments)
    assert result.code == 0, result.err
    assert "epoch 1/1" not in result.out
    (run,) = RunStore().all()
    spec = run.spec()
    assert spec.training.optimizer.lr == 0.05
    assert (spec.training.epochs, spec.data.limit) == (1, 1024)
    client = MlflowClient(tracking_uri)
    found = client.get_run(run.published.run_id)
    assert client.get_experiment(found.info.experiment_id).name == "others"


def test_without_a_compiler_the_compiled_engine_is_refused(lenetctl, write, monkeypatch):
    from lenetctl.training.cpu import compiler

    compiler.compiled_library.cache_clear()
    monkeypatch.setenv("CXX", "no-such-compiler")
    result = lenetctl("train", write(), "--engine", "compiled")
    assert result.code == 2
    assert result.err.splitlines() == [
        "error: --engine compiled: no C++ compiler: install no-such-compiler, or name one in CXX"
    ]
    assert RunStore().all() == []


def test_passwords_are_written_down_nowhere(lenetctl, write, tmp_path, monkeypatch):
    monkeypatch.setattr("lenetctl.tracking.writer.Writer.close", lambda self, patience=0: None)
    address = "http://ann:secret@127.0.0.1:1"
    result = lenetctl("train", write(), "--smoke", "--tracking-uri", address)
    assert result.code == 5
    assert "lenetctl sync" in result.err
    assert "secret" not in result.out + result.err
    for path in (tmp_path / "mlruns").rglob("*"):
        assert not path.is_file() or b"secret" not in path.read_bytes(), path
    assert "http://***@127.0.0.1:1" in RunStore().all()[0].record.command


def test_resume_without_a_value_goes_on_with_the_unfinished_run(lenetctl, interrupted):
    result = lenetctl("train", "quick.yaml", "--resume")
    assert result.code == 0, result.err
    assert "resumed after epoch 1" in result.out
    assert RunStore().all() == [interrupted]
    assert interrupted.status.state == "FINISHED"


def test_resume_with_a_run_needs_no_spec(lenetctl, interrupted, tracking_uri):
    result = lenetctl("train", "--resume", interrupted.path.name, "--json")
    assert result.code == 0, result.err
    assert [line["epoch"] for line in result.json["epochs"]] == [1, 2]
    history = MlflowClient(tracking_uri).get_metric_history(result.json["run_id"], "train/loss")
    assert [point.step for point in history] == [1, 2]


def test_resume_with_nothing_unfinished_begins(lenetctl, write):
    result = lenetctl("train", write(), "--resume", "--json", "--smoke")
    assert result.code == 0, result.err
    assert "resumed" not in result.err
    assert "to go on with: a new one begins" in result.err
    assert len(RunStore().all()) == 1


def test_a_dead_run_is_ended_and_published_when_the_next_one_starts(
    lenetctl, interrupted, write, tracking_uri
):
    interrupted.set_status("RUNNING")  # as SIGKILL would leave it
    interrupted.write_record(PublishedRecord())
    assert lenetctl("train", write(), "--seed", 1, "--smoke", "-q").code == 0
    assert interrupted.status.state == "KILLED"
    found = MlflowClient(tracking_uri).get_run(interrupted.published.run_id)
    assert found.info.status == "KILLED"


def test_what_could_not_be_published_sync_publishes_later(
    lenetctl, write, tracking_uri, monkeypatch
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with monkeypatch.context() as impatient:
        close = "lenetctl.tracking.writer.Writer.close"
        impatient.setattr(close, lambda self, patience=0: self._thread.join(0.1))
        result = lenetctl(
            "train", write(), "--smoke", "--json", "--tracking-uri", "http://127.0.0.1:1"
        )
    assert result.code == 5
    assert result.json["run_id"] is None
    assert result.json["status"] == "FINISHED"
    (run,) = RunStore().all()
    first = lenetctl("sync", "--json")
    assert (first.code, first.json) == (0, {"published": [run.path.name], "outstanding": []})
    again = lenetctl("sync", "--json")
    assert (again.code, again.json) == (0, {"published": [], "outstanding": []})
    assert MlflowClient(tracking_uri).get_run(run.published.run_id).info.status == "FINISHED"
    assert json.loads((run.path / "published.json").read_text())["tracking_uri"] == tracking_uri


def test_a_finished_run_goes_on_for_more_epochs_as_another(lenetctl, write, tracking_uri):
    assert lenetctl("train", write(), "--smoke", "-q").code == 0
    (first,) = RunStore().all()
    result = lenetctl("train", "--resume", "latest", "-s", "training.epochs=2", "--json")
    assert result.code == 0, result.err
    assert "resumed after epoch 1" in result.err
    assert result.json["name"] == "quick-limit=1024-epochs=2-s0"
    assert [line["epoch"] for line in result.json["epochs"]] == [1, 2]
    found = MlflowClient(tracking_uri).get_run(result.json["run_id"])
    assert found.data.tags["lenetctl.continues"] == first.path.name
    assert len(MlflowClient(tracking_uri).get_metric_history(found.info.run_id, "train/loss")) == 2
    again = lenetctl("train", "--resume", first.path.name, "-s", "model.activation=tanh")
    assert again.code == 4


def test_an_interrupt_while_mlflow_is_waited_for_leaves_a_finished_run(
    lenetctl, write, monkeypatch
):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("lenetctl.tracking.writer.Writer.close", interrupted)
        result = lenetctl("train", write())
    assert result.code == 130
    assert "examples/sec on" in result.out
    assert "what is trained is kept, and `lenetctl sync` publishes the rest" in result.err
    (run,) = RunStore().all()
    assert run.is_finished
    assert lenetctl("sync").code == 0
