import numpy as np
import pytest
from scipy import stats

from lenetctl.analysis.statistics import Summary, difference

LOW, HIGH = [0.80, 0.81, 0.79], [0.90, 0.915, 0.895]


def by_seed(*values, start=0):
    return dict(enumerate(values, start))


def test_a_summary_is_mean_and_sample_deviation():
    found = Summary.of(HIGH)
    assert found.mean == pytest.approx(np.mean(HIGH))
    assert found.std == pytest.approx(np.std(HIGH, ddof=1))


def test_one_value_has_no_deviation():
    assert Summary.of([0.5]) == Summary(0.5, None)


def test_equal_values_have_no_deviation_though_their_mean_is_rounded():
    assert all(Summary.of([n / 97] * 7).std == 0 for n in range(97))


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
