import math

import numpy as np
import pytest
from helpers import run_folders

from lenetctl.analysis.groups import group_runs, read_runs
from lenetctl.analysis.learning_curves import learning_curve

ACCURACY = "test/accuracy"


def group(root, *journals):
    """The group of a run for each journal, the accuracies after each of its epochs."""
    runs = run_folders.seeds(root, "a", [0.5] * len(journals))
    for run, values in zip(runs, journals, strict=True):
        run.write_epochs([{"epoch": n, ACCURACY: value} for n, value in enumerate(values, 1)])
    (only,) = group_runs(read_runs(dict.fromkeys(runs)))
    return only


def test_mean_and_deviation_over_the_runs(tmp_path):
    curve = learning_curve(group(tmp_path, [0.2, 0.8], [0.4, 0.6]), ACCURACY)
    assert (curve.n, curve.epochs.tolist()) == (2, [1, 2])
    assert curve.mean == pytest.approx([0.3, 0.7])
    assert curve.std == pytest.approx(np.std([[0.2, 0.8], [0.4, 0.6]], axis=0, ddof=1))
    assert curve.is_measured


def test_runs_that_stopped_earlier_count_where_they_ran(tmp_path):
    curve = learning_curve(group(tmp_path, [0.2, 0.4, 0.6], [0.4]), ACCURACY)
    assert curve.epochs.tolist() == [1, 2, 3]
    assert curve.mean == pytest.approx([0.3, 0.4, 0.6])
    assert np.isnan(curve.std).tolist() == [False, True, True]


def test_values_that_are_not_finite_do_not_count(tmp_path):
    curve = learning_curve(group(tmp_path, [math.nan, 0.5], [math.inf, 0.7]), ACCURACY)
    assert math.isnan(curve.mean[0])
    assert curve.mean[1] == pytest.approx(0.6)


def test_what_no_run_measured_or_no_epoch_at_all(tmp_path):
    other = learning_curve(group(tmp_path / "one", [0.5]), "test/loss")
    nothing = learning_curve(group(tmp_path / "two", []), ACCURACY)
    assert not other.is_measured
    assert not nothing.is_measured
    assert nothing.epochs.size == 0
