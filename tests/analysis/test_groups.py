import time
from dataclasses import replace

import pytest
from helpers import run_folders

from lenetctl.analysis.groups import ComparedRun, differing_keys, group_runs, read_runs
from lenetctl.analysis.statistics import Summary
from lenetctl.errors import UsageError
from lenetctl.specs.differences import settings

ACCURACY, VALIDATION = "test/accuracy", "validation/accuracy"
MAX = {"pool": {"kind": "max"}}
LOW, HIGH = [0.80, 0.81, 0.79], [0.90, 0.915, 0.895]


def runs_of(*runs):
    return read_runs(dict.fromkeys(runs))


def test_of_one_experiment_the_newest_run_counts(tmp_path):
    runs = [run_folders.run(tmp_path, "a", 0.1), run_folders.run(tmp_path, "renamed", 0.9)]
    (only,) = group_runs(runs_of(*runs))
    assert only.name == "renamed"
    assert [compared.run for compared in only.runs.values()] == [runs[1]]


def test_the_same_experiment_written_otherwise_counts_once(tmp_path):
    inherits = {"channels": 6, "kernel": 5}
    models = [{"activation": "relu", "conv": [inherits]}]
    models.append({"activation": "relu", "conv": [{**inherits, "activation": "relu"}]})
    (only,) = group_runs(
        runs_of(*(run_folders.run(tmp_path, "a", 0.5, model=model) for model in models))
    )
    assert len(only.runs) == 1


def test_other_data_are_another_group(tmp_path):
    runs = [
        run_folders.run(tmp_path, "a", 0.1),
        run_folders.run(tmp_path, "a", 0.9, digest="e" * 64),
    ]
    groups = group_runs(runs_of(*runs))
    assert differing_keys(groups) == ["data.digest"]
    assert [one.name for one in groups] == ["a (data.digest=dddddddd)", "a (data.digest=eeeeeeee)"]


def test_only_the_keys_that_differ_are_shown(tmp_path):
    runs = run_folders.seeds(tmp_path, "baseline", LOW) + run_folders.seeds(
        tmp_path, "max", HIGH, model=MAX
    )
    first, second = groups = group_runs(runs_of(*runs))
    assert differing_keys(groups) == ["model.pool.kind"]
    assert settings(first.common, differing_keys(groups)) == ["pool.kind=avg"]
    assert settings(second.common, differing_keys(groups)) == ["pool.kind=max"]


def test_groups_of_one_name_are_told_apart(tmp_path):
    runs = [
        run_folders.run(tmp_path, "a", 0.5),
        run_folders.run(tmp_path, "a", 0.5, training={"ema": 0.9}),
    ]
    runs.append(run_folders.run(tmp_path, "b", 0.5, model=MAX))
    names = [one.name for one in group_runs(runs_of(*runs))]
    assert names == ["a", "a (ema=0.9)", "b"]


def test_grouping_by_a_key_pairs_what_is_otherwise_the_same(tmp_path):
    runs = []
    for kind, gain in (("avg", 0.0), ("max", 0.1)):
        for activation, level in (("relu", 0.8), ("tanh", 0.5)):
            model = {"pool": {"kind": kind}, "activation": activation}
            wobble = 0.01 if (kind, activation) == ("max", "tanh") else 0.0
            runs.append(run_folders.run(tmp_path, "a", level + gain + wobble, model=model))
    groups = group_runs(runs_of(*runs), "model.pool.kind")
    assert [one.name for one in groups] == ["avg", "max"]
    assert differing_keys(groups) == ["model.pool.kind"]
    assert "model.activation" not in groups[0].common
    ours, theirs = (group.scores(ACCURACY) for group in groups)
    assert ours.keys() == theirs.keys()
    assert list(ours.values()) == [0.8, 0.5]
    assert list(theirs.values()) == pytest.approx([0.9, 0.61])


def test_a_key_that_no_spec_has(tmp_path):
    with pytest.raises(UsageError, match=r"--group-by model\.pool: .*model\.pool\.kind"):
        group_runs(runs_of(run_folders.run(tmp_path, "a", 0.5)), "model.pool")


def test_the_best_epoch_counts_where_validation_chose_it_else_the_last(tmp_path):
    held_out = run_folders.run(tmp_path, "a", 0.5, validation=(0.6, 0.7))
    plain = run_folders.run(tmp_path, "b", 0.5, best=0.75)
    first, second = runs_of(held_out, plain)
    assert (first.is_validated, second.is_validated) == (True, False)
    assert (first.scores[VALIDATION], first.scores[ACCURACY]) == (0.7, 0.5)
    assert second.scores[ACCURACY] == 0.5


def test_a_group_has_no_summary_of_what_one_of_its_runs_lacks(tmp_path):
    runs = [
        run_folders.run(tmp_path, "a", 0.5, validation=(0.6, 0.7)),
        run_folders.run(tmp_path, "a", 0.7, model=MAX),
    ]
    (group,) = group_runs(runs_of(*runs), "training.epochs")
    assert list(group.scores(VALIDATION).values()) == [0.7]
    assert group.summary(VALIDATION) is None
    assert group.summary(ACCURACY) == Summary.of([0.5, 0.7])


def test_runs_are_read_oldest_first_with_the_names_of_a_sweep(tmp_path):
    old, new = run_folders.seeds(tmp_path, "a", [0.5, 0.6])
    found = read_runs({new: "lr=0.1", old: None})
    assert [(compared.run, compared.name) for compared in found] == [(old, "a"), (new, "lr=0.1")]


def test_thousands_of_one_name_are_told_apart_at_once(tmp_path):
    one = ComparedRun.of(run_folders.run(tmp_path, "a", 0.5))
    runs = [
        replace(one, identity=(str(n), ""), keys=one.keys | {"model.dropout": n / 3000})
        for n in range(3000)
    ]
    started = time.process_time()
    names = {group.name for group in group_runs(runs)}
    assert time.process_time() - started < 3  # it took longer where each was told from each
    assert len(names) == 3000
