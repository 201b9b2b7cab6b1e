import shlex
import time
from itertools import pairwise

import pytest

from lenetctl import specs
from lenetctl.errors import SpecError, UsageError
from lenetctl.sweeps.grid import SEED, parse_grid_option, swept_keys
from lenetctl.sweeps.plan import plan_sweep


@pytest.fixture
def folder(tmp_path):
    """Make files below a folder called `study`."""

    def make(**files):
        for name, text in files.items():
            path = tmp_path / "study" / f"{name.replace('__', '/')}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "study"

    return make


def axes(*texts):
    return {axis.key: axis for axis in map(parse_grid_option, texts)}


def names(planned):
    return [trial.name for trial in planned.trials]


def test_a_folder_is_every_spec_in_it_and_below(folder):
    planned = plan_sweep(folder(b="model: {activation: relu}", a="", deeper__c="data: {limit: 9}"))
    assert planned.name == "study"
    assert names(planned) == ["a-s0", "b-s0", "c-s0"]
    assert all(trial.overrides == {} for trial in planned.trials)


def test_a_sweep_file_holds_for_its_folder_and_those_below_without_one(folder):
    planned = plan_sweep(
        folder(
            sweep="seeds: [0, 1]",
            a="",
            below__b="model: {activation: relu}",
            own__c="model: {activation: tanh}",
            own__sweep="seeds: [7]",
        )
    )
    assert names(planned) == ["a-s0", "a-s1", "b-s0", "b-s1", "c-s7"]


def test_the_command_line_is_laid_over_the_sweep_file(folder):
    path = folder(sweep="seeds: [0, 1]\ngrid: {model.pool.kind: [avg, max]}", a="")
    planned = plan_sweep(path, axes("training.seed=5"), ["training.epochs=1"])
    assert names(planned) == ["a-avg-s5", "a-max-s5"]
    assert {trial.spec.training.epochs for trial in planned.trials} == {1}


def test_a_sweep_file_can_name_its_base(folder):
    path = folder(base__net="", sweep="base: base/net.yaml\ngrid: {data.limit: [1, 2]}", other="")
    assert names(plan_sweep(path / "sweep.yaml")) == ["net-limit=1-s0", "net-limit=2-s0"]
    assert plan_sweep(path / "sweep.yaml").name == "study"


def test_a_grid_is_every_combination_named_by_its_values(folder):
    path = folder(a="") / "a.yaml"
    planned = plan_sweep(
        path, axes("model.pool.kind=avg,max", "model.dense=[120, 84],[84]", f"{SEED}=3")
    )
    assert planned.name == "a"
    assert names(planned) == [
        "a-avg-dense=120-84-s3",
        "a-avg-dense=84-s3",
        "a-max-dense=120-84-s3",
        "a-max-dense=84-s3",
    ]
    last = planned.trials[-1]
    assert last.overrides == {"model.pool.kind": "max", "model.dense": [84], SEED: 3}
    assert last.spec.model.dense == (84,)


def test_a_trial_is_what_loading_its_overrides_gives(folder):
    path = folder(a="training: {optimizer: {lr: 0.5}}") / "a.yaml"
    grid = axes("training.optimizer.kind=sgd,adam", "model.conv.1.channels=8,16", f"{SEED}=0,1")
    for trial in plan_sweep(path, grid).trials:
        words = trial.command.split()
        settings = [after for word, after in pairwise(words) if word == "-s"]
        assert (
            trial.sha256
            == specs.sha256(trial.spec)
            == specs.sha256(specs.load_spec(path, settings))
        )


def test_trials_that_mean_the_same_are_folded(folder):
    planned = plan_sweep(folder(a="", b="training: {epochs: 10}"), axes("model.pool.kind=avg,max"))
    assert names(planned) == ["a-avg-s0", "a-max-s0"]
    assert planned.duplicates == [("b-avg-s0", "a-avg-s0"), ("b-max-s0", "a-max-s0")]


def test_every_problem_is_told_at_once_where_it_is_written(folder):
    path = folder(a="model: {pool: {kind: mux}}", sweep="seeds:\n  - 0\n  - x", b="", c="dta: {}")
    with pytest.raises(SpecError) as caught:
        plan_sweep(path)
    told = [(p.file.rpartition("/")[2], p.line, p.key) for p in caught.value.problems]
    assert set(told) >= {
        ("a.yaml", 1, "model.pool.kind"),
        ("sweep.yaml", 1, SEED),
        ("c.yaml", 1, "dta"),
    }


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("seeds: [1]\nsedes: [2]", 2, "sedes"),
        ("seeds: 3", 1, "seeds"),
        ("grid:\n  model.dense: []", 2, "grid.model.dense"),
        ("grid: [1]", 1, "grid"),
        ("base: nowhere.yaml", 1, "base"),
        ("- 1", None, ""),
        ("seeds: [1]\nseeds: [2]", 2, "seeds"),
    ],
)
def test_a_wrong_sweep_file_is_refused_with_its_line(folder, text, line, key):
    with pytest.raises(SpecError) as caught:
        plan_sweep(folder(sweep=text, a=""))
    (problem,) = caught.value.problems
    assert (problem.key, problem.line) == (key, line or problem.line)


@pytest.mark.parametrize("text", ["model.dense", "=1", "model.dense=", "model.dense=[1"])
def test_a_wrong_grid_is_refused(text):
    with pytest.raises(SpecError, match="-g "):
        parse_grid_option(text)


def test_a_wrong_value_in_a_grid_is_told_by_its_option(folder):
    with pytest.raises(SpecError, match=r"-g model.pool.kind=avg,mix: model.pool.kind: .*mix"):
        plan_sweep(folder(a="") / "a.yaml", axes("model.pool.kind=avg,mix"))


def test_a_folder_without_specs_is_a_mistake(tmp_path):
    with pytest.raises(UsageError, match="no spec"):
        plan_sweep(tmp_path)


def test_ten_thousand_trials_are_planned_in_seconds(folder):
    many = ",".join(str(n) for n in range(1, 101))
    grid = axes(f"model.conv.1.channels={many}", f"{SEED}={many}")
    started = time.process_time()
    assert len(plan_sweep(folder(a="") / "a.yaml", grid).trials) == 10_000
    assert time.process_time() - started < 15


def test_a_swept_kind_of_optimizer_has_a_learning_rate_of_its_own(folder):
    spec = folder(a="training: {optimizer: {lr: 0.5}}") / "a.yaml"
    kinds = axes("training.optimizer.kind=sgd,adam")
    for settings, rates in (((), [0.5, 0.001]), (("training.optimizer.lr=0.25",), [0.25, 0.25])):
        trials = plan_sweep(spec, kinds, settings).trials
        assert [trial.spec.training.optimizer.lr for trial in trials] == rates
        for trial in trials:  # alone it is the same experiment
            given = [word for word in shlex.split(trial.command) if "=" in word]
            assert specs.sha256(specs.load_spec(spec, given)) == trial.sha256


def test_a_folder_with_runs_in_it_is_its_specs(folder):
    path = folder(a="", mlruns__lenetctl__run__spec="", **{".venv__x": "no spec"})
    assert names(plan_sweep(path)) == ["a-s0"]


@pytest.mark.parametrize("text", ["0-4", "0..4", " 0:4 "])
def test_a_range_of_seeds_is_told_how_to_be_written(text):
    with pytest.raises(SpecError, match="one by one: --seeds 0,1,2,3,4"):
        swept_keys(None, text)


def test_wrong_seeds_are_told_as_they_were_written(folder):
    with pytest.raises(SpecError, match=r"--seeds 0,x: training\.seed: must be an integer"):
        plan_sweep(folder(a=""), swept_keys(None, "0,x"))
