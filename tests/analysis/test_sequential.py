import numpy as np
import pytest

from lenetctl.analysis.sequential import StoppingRule
from lenetctl.analysis.verdicts import Sample

ONE = StoppingRule(rows=1, margin=0.005, max_seeds=20)
CONTROL = [0.80, 0.812, 0.79, 0.805, 0.797]
SWING = [0.001, -0.001, 0.0005, -0.0004, 0.0002]


def sample(values, **told):
    return Sample(dict(enumerate(values)), **told)


def decided(values, rule=ONE, *, lowest=False, **told):
    rows = [sample(values, **told)]
    (found,) = rule.decide(rows, sample(CONTROL[: len(values)]), lowest=lowest)
    return found


@pytest.mark.parametrize(
    ("most", "looks"), [(20, [3, 5, 8, 13, 20]), (3, [3]), (4, [3, 4]), (10, [3, 5, 8, 10])]
)
def test_looks(most, looks):
    assert StoppingRule(1, 0.005, most).looks == looks


def test_the_error_is_spent_on_looks_and_rows():
    assert StoppingRule(4, 0.005, 20).alpha == pytest.approx(0.05 / 5 / 4)


@pytest.mark.parametrize("lowest", [False, True])
def test_a_clear_difference_is_decided_by_its_direction(lowest):
    more, less = (np.add(np.add(CONTROL, gap), SWING) for gap in (0.05, -0.05))
    found = [decided(more, lowest=lowest), decided(less, lowest=lowest)]
    assert found == (["worse", "better"] if lowest else ["better", "worse"])


def test_equal_means_are_equivalent_once_their_interval_is_within_the_margin():
    # the seeds swing together, so a wide control does not hide a small paired difference …
    control = [0.800, 0.801, 0.799, 0.8005, 0.7995, 0.8, 0.8, 0.8008]
    values = np.add(control, [0.0004, -0.0003, 0.0002, -0.0004, 0.0003, 0.0001, 0, -0.0002])
    (found,) = ONE.decide([sample(values)], sample(control), lowest=False)
    assert found == "equivalent"
    wide = StoppingRule(rows=1, margin=0.0001, max_seeds=20)
    assert wide.decide([sample(values)], sample(control), lowest=False) == [None]


def test_what_a_single_test_would_call_better_stays_open():
    values = np.add(CONTROL, [0.02, 0.006, 0.018, 0.004, 0.011])
    assert decided(values) is None
    assert decided(values, StoppingRule(1, 0.005, 3)) == "better"  # one look: all of the 5 %


def test_runs_that_do_not_learn_are_never_equivalent():
    assert decided([0.1] * 5, did_not_learn=5) == "worse"
    control = sample([0.1] * 5, did_not_learn=5)
    assert ONE.decide([sample([0.1] * 5, did_not_learn=5)], control, lowest=False) == [None]


@pytest.mark.slow
@pytest.mark.parametrize(("effect", "wrong"), [(0, ("better", "worse")), (1, ("equivalent",))])
def test_looking_often_is_wrong_in_one_sweep_of_twenty_at_most(effect, wrong):
    rule = StoppingRule(rows=1, margin=1, max_seeds=20)
    rng = np.random.default_rng(effect)
    false = 0
    for control, values in rng.normal(0, np.sqrt(0.5), (2000, 2, 20)):
        for seeds in rule.looks:
            rows = [sample(values[:seeds] + effect)]
            (verdict,) = rule.decide(rows, sample(control[:seeds]), lowest=False)
            if verdict:
                false += verdict in wrong
                break
    assert false / 2000 <= 0.05
