"""Every spec that is shipped loads, and is the net that its source says."""

from pathlib import Path

import pytest

from lenetctl import specs
from lenetctl.specs import Spec

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
SPECS = [path for path in sorted(EXPERIMENTS.rglob("*.yaml")) if path.name != "sweep.yaml"]
PARAMETERS = {
    "baseline": 61_706,
    "best/fashion": 1_132_042,
    "best/fashion-500k": 289_546,
    "best/fashion-62k": 57_106,
    "best/mnist-500k": 289_546,
    "best/mnist-62k": 57_106,
    "book/d2l-en": 61_706,
    "book/d2l-java": 61_700,
    "book/d2l-java-4gpus": 61_700,
    "history/lenet5-1998": 60_000,
    "history/lecun1989": 9_760,
    "quickstart": 61_706,
    "search/winner": 298_858,
}


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.relative_to(EXPERIMENTS).as_posix())
def test_loads_and_says_what_it_is_for(path):
    loaded = specs.load_spec(path)
    assert loaded.name == path.stem
    assert loaded.description
    comments = [line for line in path.read_text().splitlines()[1:] if line.startswith("#")]
    assert comments, "a student reads why, not only what"


@pytest.mark.parametrize(("name", "parameters"), PARAMETERS.items())
def test_parameters(name, parameters):
    layers = specs.plan_layers(shipped(name).model)
    assert sum(layer.parameters for layer in layers) == parameters


@pytest.mark.parametrize("folder", sorted({path.parent for path in SPECS}), ids=lambda f: f.name)
def test_no_two_of_a_folder_are_the_same_experiment(folder):
    hashes = [specs.sha256(specs.load_spec(path)) for path in SPECS if path.parent == folder]
    assert len(set(hashes)) == len(hashes)


def test_baseline_is_the_default():
    assert specs.sha256(shipped("baseline")) == specs.sha256(Spec(name="default"))


def test_quickstart_trains_on_the_digits_that_are_embedded():
    quickstart = shipped("quickstart")
    assert quickstart.data.dataset == "digits"
    assert (quickstart.data.batch_size, quickstart.training.epochs) == (32, 15)
    assert (quickstart.model.activation, quickstart.model.pool.kind) == ("relu", "max")
    assert quickstart.training.optimizer.lr == 0.1


def test_d2l_java_is_the_published_notebook():
    java = shipped("book/d2l-java")
    pool = java.model.pool
    assert (pool.kind, pool.size, pool.stride, pool.padding) == ("avg", 5, 2, 2)
    assert [conv.bias for conv in java.model.conv] == [False, True]
    assert (java.model.init, java.model.bias_init) == ("kaiming_normal", "zeros")
    assert java.training == shipped("baseline").training
    assert java.data == shipped("baseline").data


def test_d2l_java_on_four_gpus_differs_in_nothing_else():
    four, one = shipped("book/d2l-java-4gpus"), shipped("book/d2l-java")
    assert four.training == one.training.model_copy(update={"devices": 4})
    assert (four.model, four.data) == (one.model, one.data)


def test_lenet5_is_that_of_1998():
    lenet5 = shipped("history/lenet5-1998")
    training, factors = lenet5.training, lenet5.training.schedule.factors
    assert (training.optimizer.mu, training.optimizer.samples) == (0.5, 500)  # the paper's mu: 0.02
    assert lenet5.model.init == "fan_in_uniform"
    assert [(training.optimizer.lr * factor) for factor in factors] == pytest.approx(
        [5e-4] * 2 + [2e-4] * 3 + [1e-4] * 3 + [5e-5] * 4 + [1e-5]
    )
    assert (training.epochs, lenet5.data.batch_size, lenet5.data.pixel_range) == (
        20,
        1,
        (-0.1, 1.175),
    )
    codes = lenet5.model.output_codes
    assert {len(code) for code in codes} == {7 * 12}
    assert len(set(codes)) == 10


def test_d2l_en_is_the_current_text():
    english = shipped("book/d2l-en")
    assert (english.data.batch_size, english.training.optimizer.lr) == (128, 0.1)
    assert (english.model.init, english.model.bias_init) == ("xavier_uniform", "torch")
    assert english.training.epochs == 10


def shipped(name):
    return specs.load_spec(EXPERIMENTS / f"{name}.yaml")
