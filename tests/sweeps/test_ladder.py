from pathlib import Path

import pytest

from lenetctl import specs
from lenetctl.errors import UsageError
from lenetctl.specs.load import load_spec
from lenetctl.sweeps.ladder import Ladder, added

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
BASELINE = EXPERIMENTS / "baseline.yaml"
SPECS = sorted(path for path in EXPERIMENTS.rglob("*.yaml") if path.name != "sweep.yaml")
DIGITS = "data: {dataset: digits}\n"


@pytest.fixture
def ladder(tmp_path):
    """Make a ladder of what two files say."""

    def make(base, best, *settings):
        for name, text in (("base", base), ("best", best)):
            (tmp_path / f"{name}.yaml").write_text(DIGITS + text)
        return Ladder.of(tmp_path / "base.yaml", tmp_path / "best.yaml", settings)

    return make


def test_exercise_2_is_climbed_change_by_change():
    best = EXPERIMENTS / "exercise2" / "best.yaml"
    ladder = Ladder.of(best.with_name("baseline.yaml"), best)
    assert [*ladder.changes] == [
        *("data.batch_size", "data.normalize", "data.augment"),
        *("conv", "pool", "activation", "norm", "dense", "dropout", "init"),
        *("optimizer.lr", "optimizer.momentum", "optimizer.weight_decay"),
        *("schedule", "label_smoothing"),
    ]
    assert ladder.changes["optimizer.momentum"].after == {
        "training.optimizer.momentum": 0.9,
        "training.optimizer.nesterov": True,
    }
    assert ladder.trial(ladder.all_changes, 0).sha256 == specs.sha256(load_spec(best))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_ends_of_a_ladder_are_its_two_specs(path):
    settings = ("data.dataset=fashion_mnist", "training.seed=0")
    if specs.sha256(load_spec(path, settings)) != specs.sha256(load_spec(BASELINE, settings)):
        ladder = Ladder.of(BASELINE, path, settings)
        ends = (ladder.trial(frozenset(), 0).sha256, ladder.trial(ladder.all_changes, 0).sha256)
        assert ends == tuple(specs.sha256(spec) for spec in (ladder.base, ladder.best))
        up, down = ladder.ways()
        assert not {*up, *down} & ladder.impossible.keys()


def test_convolutions_of_one_number_change_key_by_key_the_window_as_one(ladder):
    found = ladder(
        "", "model: {conv: [{channels: 8, kernel: 3, padding: 1}, {channels: 16, kernel: 3}]}"
    )
    assert {name: dict(one.after) for name, one in found.changes.items()} == {
        "conv.channels": {"model.conv.0.channels": 8},
        "conv.kernel": {
            "model.conv.0.kernel": 3,
            "model.conv.0.padding": 1,
            "model.conv.1.kernel": 3,
        },
    }


def test_an_optimizer_of_another_kind_is_one_change(ladder):
    found = ladder("", "training: {optimizer: {kind: adam}, schedule: {kind: cosine}}")
    assert [*found.changes] == ["optimizer", "schedule"]


def test_up_and_down_go_through_every_change_once(ladder):
    found = ladder("", "model: {norm: batch, activation: relu, dense: [84]}")
    up, down = found.ways()
    assert [name for name, *_ in added(up)] == ["activation", "norm", "dense"]
    # taken away in the same order: the last to be gone is the first that was added
    assert [name for name, *_ in added(down)] == ["dense", "norm", "activation"]
    names = [found.trial(mixture, 0).spec.name for mixture in up]
    assert names == ["base", "base+activation", "best-without-dense", "best"]


def test_random_orders_are_the_same_every_time_and_more_of_them_go_on(ladder):
    best = "model: {norm: batch, activation: relu, dense: [84], dropout: 0.1}"
    ways = ladder("", best).ways(3)
    assert len(ways) == 8
    assert ladder("", best).ways(1) == ways[:4]
    assert len({tuple(way) for way in ways}) > 2


def test_a_change_waits_for_the_one_that_makes_it_possible(ladder):
    # a third convolution of 7 does not fit behind two pools
    base = "model: {conv: [{channels: 6, kernel: 5}, {channels: 8, kernel: 5}]}"
    best = """\
model:
  conv: [{channels: 6, kernel: 5}, {channels: 8, kernel: 5}, {channels: 8, kernel: 7}]
  pool: {kind: none}
  norm: batch
"""
    found = ladder(base, best)
    up, down = found.ways()
    assert [name for name, *_ in added(up)] == ["pool", "conv", "norm"]
    assert [name for name, *_ in added(down)] == ["norm", "pool", "conv"]
    (reason,) = {found.impossible[frozenset({"conv"})]}
    assert "conv3" in reason


def test_equal_specs_and_different_data_are_refused(ladder):
    with pytest.raises(UsageError, match="differ in nothing but the seed"):
        ladder("", "training: {seed: 3}")
    with pytest.raises(UsageError, match="different data sets"):
        Ladder.of("quickstart", "baseline")


def test_a_trial_repeats_by_the_command_it_names(ladder):
    found = ladder("", "model: {norm: batch, pool: {kind: max}}", "training.epochs=1")
    trial = found.trial(frozenset({"pool"}), 2)
    words = trial.command.split(" -s ")
    assert words[1] == "training.epochs=1"
    assert words[-1] == "training.seed=2"
    assert trial.spec.model.pool.kind == "max"
    assert trial.spec.model.norm == "none"
