import numpy as np
import pytest
from helpers import run_folders
from scipy import stats

from lenetctl.analysis.comparison import (
    ComparedRun,
    compare_groups,
    difference,
    differing,
    group_runs,
    having,
    settings,
)
from lenetctl.errors import UsageError

ACCURACY = "test/accuracy"
MAX = {"pool": {"kind": "max"}}
LOW, HIGH = [0.80, 0.81, 0.79], [0.90, 0.915, 0.895]


def trials(*runs):
    return [ComparedRun.of(run) for run in runs]


def by_seed(*values, start=0):
    return {frozenset({("training.seed", seed)}): v for seed, v in enumerate(values, start)}


def test_runs_are_grouped_over_seeds_and_ranked(tmp_path):
    runs = run_folders.seeds(tmp_path, "baseline", LOW) + run_folders.seeds(
        tmp_path, "max", HIGH, model=MAX
    )
    rows = compare_groups(group_runs(trials(*runs)), ACCURACY)
    assert [row.group.name for row in rows] == ["max", "baseline"]
    assert [row.values for row in rows] == [HIGH, LOW]
    assert rows[0].last.mean == pytest.approx(np.mean(HIGH))
    assert rows[0].last.std == pytest.approx(np.std(HIGH, ddof=1))
    assert [row.difference for row in rows] == [None, None]


def test_best_is_the_runs_own_best_epoch(tmp_path):
    runs = [
        run_folders.run(tmp_path, "a", 0.5, best=0.75),
        run_folders.run(tmp_path, "a", 0.5, 0.25, seed=1),
    ]
    (row,) = compare_groups(group_runs(trials(*runs)), ACCURACY)
    assert (row.best.mean, row.last.mean) == (0.5, 0.5)
    assert row.best.std == pytest.approx(np.std([0.75, 0.25], ddof=1))
    assert row.last.std == 0


def test_the_lowest_loss_is_first(tmp_path):
    runs = run_folders.seeds(tmp_path, "a", [0.3], metric="test/loss")
    runs += run_folders.seeds(tmp_path, "b", [0.2], metric="test/loss", model=MAX)
    rows = compare_groups(group_runs(trials(*runs)), "test/loss")
    assert [row.group.name for row in rows] == ["b", "a"]


def test_shared_seeds_give_the_paired_interval():
    found = difference(by_seed(*HIGH), by_seed(*LOW), lowest=False)
    expected = stats.ttest_rel(HIGH, LOW).confidence_interval()
    assert found.paired
    assert found.mean == pytest.approx(np.mean(HIGH) - np.mean(LOW))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_only_the_shared_seeds_are_paired():
    found = difference(by_seed(*HIGH), by_seed(*LOW, start=1), lowest=False)
    expected = stats.ttest_rel(HIGH[1:], LOW[:2]).confidence_interval()
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.mean == pytest.approx(np.mean(HIGH[1:]) - np.mean(LOW[:2]))


@pytest.mark.parametrize("start", [2, 7])  # one seed shared, none shared
def test_too_few_shared_seeds_give_welchs_interval(start):
    control = [0.70, 0.85, 0.80, 0.81]
    found = difference(by_seed(*HIGH), by_seed(*control, start=start), lowest=False)
    expected = stats.ttest_ind(HIGH, control, equal_var=False).confidence_interval()
    assert not found.paired
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("lowest", [False, True])
def test_better_is_said_only_where_the_interval_excludes_zero(lowest):
    more = difference(by_seed(*HIGH), by_seed(*LOW), lowest=lowest)
    less = difference(by_seed(*LOW), by_seed(*HIGH), lowest=lowest)
    unclear = difference(by_seed(0.8, 0.9, 0.7), by_seed(0.9, 0.6, 0.8), lowest=lowest)
    assert more.low > 0
    assert less.high < 0
    assert unclear.low < 0 < unclear.high
    verdicts = [more.verdict, less.verdict, unclear.verdict]
    assert verdicts == (["worse", "better", None] if lowest else ["better", "worse", None])


@pytest.mark.parametrize(
    ("values", "control"),
    [
        (by_seed(0.9), by_seed(0.8)),
        (by_seed(0.9), by_seed(0.8, 0.7, 0.6)),
        (by_seed(0.3, 0.4), by_seed(0.1, 0.2)),  # gaps of 0.2, but for rounding
    ],
)
def test_one_seed_or_no_spread_has_no_interval(values, control):
    found = difference(values, control, lowest=False)
    assert found.mean > 0
    assert (found.low, found.high, found.verdict) == (None, None, None)


def test_one_run_has_no_deviation(tmp_path):
    (row,) = compare_groups(group_runs(trials(run_folders.run(tmp_path, "a", 0.5))), ACCURACY)
    assert (row.last.mean, row.last.std) == (0.5, None)


def test_of_one_experiment_the_newest_run_counts(tmp_path):
    runs = [run_folders.run(tmp_path, "a", 0.1), run_folders.run(tmp_path, "renamed", 0.9)]
    (only,) = group_runs(trials(*runs))
    assert only.name == "renamed"
    assert [trial.run for trial in only.trials.values()] == [runs[1]]


def test_the_same_experiment_written_otherwise_counts_once(tmp_path):
    inherits = {"channels": 6, "kernel": 5}
    models = [{"activation": "relu", "conv": [inherits]}]
    models.append({"activation": "relu", "conv": [{**inherits, "activation": "relu"}]})
    (only,) = group_runs(
        trials(*(run_folders.run(tmp_path, "a", 0.5, model=model) for model in models))
    )
    assert len(only.trials) == 1


def test_other_data_are_another_group(tmp_path):
    runs = [
        run_folders.run(tmp_path, "a", 0.1),
        run_folders.run(tmp_path, "a", 0.9, digest="e" * 64),
    ]
    groups = group_runs(trials(*runs))
    assert differing(groups) == ["data.digest"]
    assert [one.name for one in groups] == ["a (data.digest=dddddddd)", "a (data.digest=eeeeeeee)"]


def test_only_the_keys_that_differ_are_shown(tmp_path):
    runs = run_folders.seeds(tmp_path, "baseline", LOW) + run_folders.seeds(
        tmp_path, "max", HIGH, model=MAX
    )
    first, second = groups = group_runs(trials(*runs))
    assert differing(groups) == ["model.pool.kind"]
    assert settings(first, differing(groups)) == ["pool.kind=avg"]
    assert settings(second, differing(groups)) == ["pool.kind=max"]


def test_groups_of_one_name_are_told_apart(tmp_path):
    runs = [
        run_folders.run(tmp_path, "a", 0.5),
        run_folders.run(tmp_path, "a", 0.5, training={"ema": 0.9}),
    ]
    runs.append(run_folders.run(tmp_path, "b", 0.5, model=MAX))
    names = [one.name for one in group_runs(trials(*runs))]
    assert names == ["a", "a (ema=0.9)", "b"]


def test_grouping_by_a_key_pairs_what_is_otherwise_the_same(tmp_path):
    runs = []
    for kind, gain in (("avg", 0.0), ("max", 0.1)):
        for activation, level in (("relu", 0.8), ("tanh", 0.5)):
            model = {"pool": {"kind": kind}, "activation": activation}
            wobble = 0.01 if (kind, activation) == ("max", "tanh") else 0.0
            runs.append(run_folders.run(tmp_path, "a", level + gain + wobble, model=model))
    groups = group_runs(trials(*runs), "model.pool.kind")
    assert [one.name for one in groups] == ["avg", "max"]
    assert differing(groups) == ["model.pool.kind"]
    assert groups[0].value("model.activation") is None
    best = compare_groups(groups, ACCURACY, control=groups[0])[0].difference
    expected = stats.ttest_rel([0.9, 0.61], [0.8, 0.5]).confidence_interval()
    assert (best.low, best.high) == pytest.approx((expected.low, expected.high))


def test_a_key_that_no_spec_has(tmp_path):
    with pytest.raises(UsageError, match=r"--group-by model\.pool: .*model\.pool\.kind"):
        group_runs(trials(run_folders.run(tmp_path, "a", 0.5)), "model.pool")


def test_runs_without_the_metric_are_left_out(tmp_path):
    lacking = run_folders.run(tmp_path, "a", 0.5, metric="validation/accuracy")
    found = having(trials(lacking, run_folders.run(tmp_path, "b", 0.5)), ACCURACY)
    assert [trial.name for trial in found] == ["b"]


def test_a_metric_that_no_run_has(tmp_path):
    with pytest.raises(UsageError, match=r"--metric acc: .*\(there are test/accuracy\)"):
        having(trials(run_folders.run(tmp_path, "a", 0.5)), "acc")
