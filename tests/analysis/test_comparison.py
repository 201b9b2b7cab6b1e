import numpy as np
import pytest
from helpers import run_folders
from scipy import stats

from lenetctl.analysis.comparison import compare_with, rank_runs
from lenetctl.analysis.groups import read_runs
from lenetctl.analysis.statistics import Summary
from lenetctl.errors import UsageError

ACCURACY, VALIDATION = "test/accuracy", "validation/accuracy"
MAX = {"pool": {"kind": "max"}}
LOW, HIGH = [0.80, 0.81, 0.79], [0.90, 0.915, 0.895]


def ranking(*runs, metric=None, by=None):
    return rank_runs(read_runs(dict.fromkeys(runs)), metric, by)


def names(found):
    return [group.name for group in found.groups]


def test_runs_are_grouped_over_seeds_and_ranked(tmp_path):
    runs = run_folders.seeds(tmp_path, "baseline", LOW) + run_folders.seeds(
        tmp_path, "max", HIGH, model=MAX
    )
    found = ranking(*runs)
    assert names(found) == ["max", "baseline"]
    assert [list(group.scores(ACCURACY).values()) for group in found.groups] == [HIGH, LOW]
    first = found.rows[0]
    assert first.score.mean == pytest.approx(np.mean(HIGH))
    assert first.score.std == pytest.approx(np.std(HIGH, ddof=1))
    assert [row.difference for row in found.rows] == [None, None]


def test_best_is_the_runs_own_best_epoch(tmp_path):
    runs = [
        run_folders.run(tmp_path, "a", 0.5, best=0.75),
        run_folders.run(tmp_path, "a", 0.5, 0.25, seed=1),
    ]
    (row,) = ranking(*runs).rows
    assert (row.best.mean, row.last.mean) == (0.5, 0.5)
    assert row.best.std == pytest.approx(np.std([0.75, 0.25], ddof=1))
    assert row.last.std == 0


def test_without_validation_the_last_epoch_ranks(tmp_path):
    runs = [
        run_folders.run(tmp_path, "swings", 0.5, best=0.9),
        run_folders.run(tmp_path, "steady", 0.6, model=MAX),
    ]
    found = ranking(*runs)
    assert (found.metric, found.test_metric) == (ACCURACY, None)
    assert names(found) == ["steady", "swings"]


def test_where_all_held_images_out_validation_ranks_at_the_best_epoch(tmp_path):
    runs = [
        run_folders.run(tmp_path, "a", 0.9, validation=(0.8, 0.81)),
        run_folders.run(tmp_path, "b", 0.7, validation=(0.5, 0.85), model=MAX),
    ]
    found = ranking(*runs)
    assert (found.metric, found.test_metric) == (VALIDATION, ACCURACY)
    assert names(found) == ["b", "a"]
    assert found.rows[0].score == found.rows[0].best == Summary(0.85, None)
    assert found.rows[0].last == Summary(0.5, None)
    assert found.groups[0].summary(ACCURACY) == Summary(0.7, None)


def test_one_run_without_validation_leaves_the_test_set(tmp_path):
    runs = [
        run_folders.run(tmp_path, "a", 0.9, validation=(0.8, 0.81)),
        run_folders.run(tmp_path, "b", 0.95, model=MAX),
    ]
    found = ranking(*runs)
    assert found.metric == ACCURACY
    assert names(found) == ["b", "a"]


def test_a_metric_that_is_given_ranks(tmp_path):
    runs = [
        run_folders.run(tmp_path, "a", 0.9, validation=(0.8, 0.81)),
        run_folders.run(tmp_path, "b", 0.7, validation=(0.5, 0.85), model=MAX),
    ]
    found = ranking(*runs, metric=ACCURACY)
    assert (found.metric, found.test_metric) == (ACCURACY, None)
    assert names(found) == ["a", "b"]


def test_the_lowest_loss_is_first(tmp_path):
    runs = run_folders.seeds(tmp_path, "a", [0.3], metric="test/loss")
    runs += run_folders.seeds(tmp_path, "b", [0.2], metric="test/loss", model=MAX)
    assert names(ranking(*runs, metric="test/loss")) == ["b", "a"]


def test_equal_means_stand_in_the_order_of_their_names(tmp_path):
    runs = [run_folders.run(tmp_path, "b", 0.5), run_folders.run(tmp_path, "a", 0.5, model=MAX)]
    assert names(ranking(*runs)) == ["a", "b"]


def test_differences_are_to_the_control_in_what_ranks(tmp_path):
    runs = []
    for name, validation, model in (("baseline", LOW, {}), ("max", HIGH, MAX)):
        for seed, best in enumerate(validation):
            run = run_folders.run(
                tmp_path, name, 0.5, seed=seed, validation=(0.1, best), model=model
            )
            runs.append(run)
    found = ranking(*runs)
    compared = compare_with(found.groups[1], found)
    assert compared.control is found.groups[1]
    first, second = (row.difference for row in compared.rows)
    expected = stats.ttest_rel(HIGH, LOW).confidence_interval()
    assert (first.low, first.high) == pytest.approx((expected.low, expected.high))
    assert (first.verdict, second) == ("better", None)


def test_groups_of_a_key_pair_by_what_is_otherwise_the_same(tmp_path):
    runs = []
    for kind, gain in (("avg", 0.0), ("max", 0.1)):
        for activation, level in (("relu", 0.8), ("tanh", 0.5)):
            model = {"pool": {"kind": kind}, "activation": activation}
            wobble = 0.01 if (kind, activation) == ("max", "tanh") else 0.0
            runs.append(run_folders.run(tmp_path, "a", level + gain + wobble, model=model))
    found = ranking(*runs, by="model.pool.kind")
    assert (found.by, names(found)) == ("model.pool.kind", ["max", "avg"])
    best = compare_with(found.groups[1], found).rows[0].difference
    expected = stats.ttest_rel([0.9, 0.61], [0.8, 0.5]).confidence_interval()
    assert (best.low, best.high) == pytest.approx((expected.low, expected.high))


def test_a_row_differs_from_the_control_or_from_most(tmp_path):
    runs = [
        run_folders.run(tmp_path, name, score, model=model)
        for name, score, model in (("a", 0.3, {}), ("b", 0.2, MAX), ("c", 0.1, MAX))
    ]
    runs[2:] = [run_folders.run(tmp_path, "c", 0.1, model=MAX, training={"ema": 0.5})]
    found = ranking(*runs)
    assert [found.unusual(row) for row in found.rows] == [["pool.kind=avg"], [], ["ema=0.5"]]
    compared = compare_with(found.groups[2], found)
    assert [compared.unusual(row) for row in compared.rows] == [
        ["pool.kind=avg", "no ema"],
        ["no ema"],
        [],
    ]


def test_runs_without_the_metric_are_left_out(tmp_path):
    lacking = run_folders.run(tmp_path, "a", 0.5, metric=VALIDATION)
    found = ranking(lacking, run_folders.run(tmp_path, "b", 0.5), metric=ACCURACY)
    assert names(found) == ["b"]


@pytest.mark.parametrize("metric", ["acc", "epoch"])
def test_a_metric_that_no_run_has(tmp_path, metric):
    with pytest.raises(UsageError, match=rf"--metric {metric}: .*\(there are test/accuracy\)"):
        ranking(run_folders.run(tmp_path, "a", 0.5), metric=metric)
