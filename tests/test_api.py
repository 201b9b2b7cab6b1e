"""What `import lenetctl` offers: the rooms' own answers, and one clear line for a mistake."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from helpers.run_fixtures import digits, elsewhere, finished, validated  # noqa: F401
from helpers.run_folders import run as write_run
from helpers.run_folders import seeds

import lenetctl
from lenetctl import api, errors
from lenetctl.runs.evaluate import evaluate_run
from lenetctl.runs.weights import load_net
from lenetctl.tracking.publish import is_current

HEAVY = {"torch", "torchvision", "mlflow", "matplotlib", "sklearn", "pandas", "pydantic", "numpy"}


def modules_after(program):
    """The packages that a process has imported by the end of `program`."""
    ask = f"{program}; import sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    ran = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_importing_and_listing_bring_in_nothing_heavy():
    assert not modules_after("import lenetctl; dir(lenetctl); hasattr(lenetctl, 'x')") & HEAVY


def test_functions_bring_in_neither_mlflow_nor_matplotlib():
    found = modules_after("import lenetctl; lenetctl.train, lenetctl.publish, lenetctl.compare")
    assert found & HEAVY == {"torch", "pydantic", "numpy"}


def test_every_name_is_there_and_listed():
    assert set(lenetctl.__all__) == {*api.__all__, "figures"}
    for name in api.__all__:
        assert getattr(lenetctl, name) is getattr(api, name)
    assert set(lenetctl.__all__) <= set(dir(lenetctl))
    assert lenetctl.figures.__name__ == "lenetctl.figures"
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        lenetctl.trian  # noqa: B018


def test_train_tells_the_callback_and_leaves_a_run_that_is_found(digits):  # noqa: F811
    class Watch(lenetctl.RunCallback):
        epochs = ()

        def on_epoch_end(self, run, result):
            self.epochs = (*self.epochs, (run.name, result.epoch))

    watch = Watch()
    run = lenetctl.train(digits(), watch, device="cpu", experiment="class", root="mine")
    assert watch.epochs == (("quick-s0", 1), ("quick-s0", 2))
    assert run.is_finished
    assert run.record.experiment == "class"
    assert lenetctl.list_runs("mine") == [run] == [lenetctl.open_run("quick", "mine")]
    assert lenetctl.list_runs() == []


def test_without_a_callback_a_warning_is_pythons(digits):  # noqa: F811
    spec = digits(epochs=1, optimizer={"kind": "sgd", "lr": 1e-9}, data={"limit": 64})
    with pytest.warns(UserWarning, match="never left ln 10"):
        lenetctl.train(spec, root="mine")


def test_evaluate_is_that_of_runs(validated):  # noqa: F811
    measured = lenetctl.evaluate(validated, split="validation", weights="last", device="cpu")
    assert measured == evaluate_run(validated, None, "validation", "last", None, "cpu")
    assert measured.accuracy == validated.result.final["validation/accuracy"]


def test_compare_measures_against_the_control(tmp_path):
    runs = seeds(tmp_path, "baseline", [0.5, 0.52]) + seeds(
        tmp_path, "max", [0.8, 0.83], model={"pool": {"kind": "max"}}
    )
    comparison = lenetctl.compare(reversed(runs))
    assert [group.name for group in comparison.groups] == ["max", "baseline"]
    assert comparison.control.name == "baseline"
    assert comparison.rows[0].difference.mean == pytest.approx(0.305)
    assert lenetctl.compare(runs, control="max").control.name == "max"
    by_pool = lenetctl.compare(runs, group_by="model.pool.kind")
    assert [group.name for group in by_pool.groups] == ["max", "avg"]


def test_a_comparison_is_drawn_from_what_it_gives(tmp_path):
    comparison = lenetctl.compare(seeds(tmp_path, "baseline", [0.5, 0.7]))
    ((name, scores, mean, std),) = comparison.ranking
    assert (name, scores, mean) == ("baseline", [0.5, 0.7], pytest.approx(0.6))
    assert std == pytest.approx(0.2 / 2**0.5)
    assert comparison.curves["baseline"].mean == pytest.approx([0.6, 0.6])
    assert lenetctl.figures.ranked(comparison.ranking, comparison.metric).axes
    assert lenetctl.figures.bands(comparison.curves, comparison.metric).axes


def test_a_metric_of_the_end_has_no_curves(tmp_path):
    run = write_run(tmp_path, "baseline", 0.5, validation=(0.4, 0.6))
    assert lenetctl.compare([run], "test/accuracy").curves == {}


def test_activations_of_a_run_and_of_a_spec(finished):  # noqa: F811
    trained = lenetctl.activations(finished, classes=[3, "7"], per_class=1, layers=[1, "dense2"])
    assert {name: array.shape for name, array in trained.layers.items()} == {
        "act1": (2, 6, 28, 28),
        "dense2": (2, 84),
    }
    assert trained.inputs.labels == [one.label for one in trained.predictions] == ["3", "7"]
    untrained = lenetctl.activations(finished.spec(), classes=[3, 7], per_class=1)
    np.testing.assert_array_equal(untrained.inputs.images, trained.inputs.images)
    assert not np.array_equal(untrained.layers["act1"], trained.layers["act1"])


def test_load_model_predicts_as_the_run_does(finished):  # noqa: F811
    net = lenetctl.load_model(str(finished.path / "spec.yaml"), finished.weights)
    images = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    assert not net.training
    torch.testing.assert_close(net(images), load_net(finished, None)(images))


def test_publish_brings_mlflow_up_to_date(digits, tmp_path):  # noqa: F811
    run = lenetctl.train(digits(epochs=1), root=tmp_path / "runs")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    assert lenetctl.publish(run, uri) == lenetctl.publish(run, uri) == run.published.run_id
    assert is_current(run, uri)
    assert (run.figures / "curves.png").exists()


@pytest.mark.parametrize(
    ("mistake", "kind", "words"),
    [
        (lambda run: lenetctl.load_spec("no.yaml"), errors.SpecError, "no.yaml: "),
        (lambda run: lenetctl.load_spec({"modl": {}}), errors.SpecError, "did you mean model"),
        (lambda run: lenetctl.train(run.spec(), device="gpu"), errors.UsageError, "gpu"),
        (lambda run: lenetctl.train(run.spec(), engine="fast"), errors.UsageError, "eager"),
        (lambda run: lenetctl.open_run("no"), errors.NotFoundError, "no such run"),
        (lambda run: lenetctl.evaluate(run, "no"), errors.UsageError, "no such data set"),
        (lambda run: lenetctl.evaluate(run, split="dev"), errors.UsageError, "validation"),
        (lambda run: lenetctl.evaluate(run, weights="good"), errors.UsageError, "best"),
        (lambda run: lenetctl.evaluate(run, weights="best"), errors.CheckpointError, "last"),
        (lambda run: lenetctl.compare([]), errors.NotFoundError, "no finished run"),
        (lambda run: lenetctl.compare([run], "speed"), errors.UsageError, "test/accuracy"),
        (lambda run: lenetctl.compare([run], control="a"), errors.UsageError, "quick"),
        (lambda run: lenetctl.compare([run], group_by="pool"), errors.UsageError, "pool.kind"),
        (lambda run: lenetctl.activations(run, [10]), errors.UsageError, "no such class"),
        (lambda run: lenetctl.activations(run, layers=[9]), errors.UsageError, "1 to 5"),
        (lambda run: lenetctl.activations(run, pictures=["no.png"]), errors.UsageError, "no.png"),
        (
            lambda run: lenetctl.load_model(run.path / "spec.yaml", "no"),
            errors.CheckpointError,
            "no",
        ),
        (
            lambda run: lenetctl.load_model(run.path / "spec.yaml", run.path / "spec.yaml"),
            errors.CheckpointError,
            "no weights",
        ),
        (
            lambda run: lenetctl.publish(run, "http://me:secret@127.0.0.1:9"),
            errors.TrackingError,
            "not up to date",
        ),
    ],
)
def test_a_mistake_gets_one_clear_line(finished, mistake, kind, words):  # noqa: F811
    with pytest.raises(kind) as caught:
        mistake(finished)
    line = str(caught.value)
    assert isinstance(caught.value, lenetctl.LenetctlError)
    assert words in line
    assert "\n" not in line
    assert "secret" not in line


def test_a_run_that_did_not_finish_is_not_compared(tmp_path):
    run = write_run(tmp_path, "baseline", 0.5, status="KILLED")
    with pytest.raises(errors.NotFoundError, match="has no result: it is KILLED"):
        lenetctl.compare([run])
