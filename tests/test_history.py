"""The LeNet-5 of 1998, all that is done with a run: works, or is refused in words."""

import json

import mlflow.pyfunc
import numpy as np
import pytest
from helpers.equality import metrics
from typer.testing import CliRunner

from lenetctl import specs
from lenetctl.analysis.groups import ComparedRun
from lenetctl.cli.app import app
from lenetctl.data.dataset import load_dataset
from lenetctl.runs.callbacks import RunCallback
from lenetctl.runs.evaluate import evaluate_run
from lenetctl.runs.execute import execute
from lenetctl.runs.options import RunOptions
from lenetctl.runs.weights import load_net
from lenetctl.tracking.model import save_model
from lenetctl.training.diagnostics.range_test import at_rate


class InterruptAfter(RunCallback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, run, result):
        if result.epoch == self.epoch:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def spec():
    settings = ("data.dataset=digits", "data.limit=400", "training.epochs=3")
    return specs.load_spec("history/lenet5-1998", settings)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return tmp_path_factory.mktemp("history")


@pytest.fixture(scope="module")
def run(spec, project):
    return execute(
        spec, RunOptions(project / "mlruns" / "lenetctl", device="cpu", diagnostics=True)
    )


def command(*arguments):
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_it_learns_and_is_not_taken_for_guessing(run):
    assert run.status.outcome == "finished"
    assert run.result.final["test/accuracy"] > 0.8
    assert run.result.final["train/loss"] > np.log(10)  # a squared distance
    assert not ComparedRun.of(run).is_guessing
    assert run.record.parameters == 60_000
    assert sum(value.numel() for value in load_net(run, None).parameters()) == 60_000


def test_what_is_resumed_has_the_bits_of_what_was_not_interrupted(spec, run, tmp_path):
    options = RunOptions(tmp_path, device="cpu", diagnostics=True)
    with pytest.raises(KeyboardInterrupt):
        execute(spec, options, InterruptAfter(1))
    (again,) = options.store.all()
    execute(spec, options, resume=again)
    assert metrics(again) == metrics(run)


def test_small_batches_learn_too(spec, tmp_path):
    data = spec.data.model_copy(update={"batch_size": 8})
    eightfold = at_rate(spec, 8 * spec.training.optimizer.lr)
    small = execute(eightfold.model_copy(update={"data": data}), RunOptions(tmp_path, device="cpu"))
    assert small.result.final["test/accuracy"] > 0.5


def test_it_is_measured_and_served(run, spec, monkeypatch):
    measured = evaluate_run(run, None, "test", None, None, "cpu")
    assert measured.accuracy == pytest.approx(run.result.final["test/accuracy"])
    images = load_dataset(spec.data).test.images[:64].numpy().astype(np.float32) / 255
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    with save_model(run) as folder:
        answers = mlflow.pyfunc.load_model(str(folder)).predict(images)
    np.testing.assert_allclose(answers.sum(1), 1, rtol=1e-5)
    truth = load_dataset(spec.data).test.labels[:64].numpy()
    assert (answers.argmax(1) == truth).mean() > 0.7


def test_commands_look_into_it(run, project, tmp_path, monkeypatch):
    monkeypatch.chdir(project)
    command(
        "activations",
        run.name,
        "--no-log",
        "--layers",
        "pool1_act,dense2",
        "-o",
        tmp_path / "a.png",
    )
    command("explain", run.name, "--no-log", "-o", tmp_path / "page.html")
    command("shapes", run.path / "spec.yaml", "--diagram", tmp_path / "net.svg")
    assert (tmp_path / "a.png").exists()
    assert '"kind": "rbf"' in (tmp_path / "page.html").read_text(encoding="utf-8")
    drawn = (tmp_path / "net.svg").read_text(encoding="utf-8")
    assert "subsampling" in drawn
    document = json.loads(command("diagnose", run.name, "--json"))
    assert document["findings"] == []
    assert {"pool1", "dense2"} <= {layer["name"] for layer in document["trained"]}


def test_the_net_of_1989_learns(tmp_path):
    settings = ("data.dataset=digits", "data.limit=400", "training.epochs=3")
    run = execute(
        specs.load_spec("history/lecun1989", settings), RunOptions(tmp_path, device="cpu")
    )
    assert run.result.final["test/accuracy"] > 0.7
