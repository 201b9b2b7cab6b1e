import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from lenetctl.analysis.verdicts import Sample, holm, judge

CONTROL = [0.80, 0.81, 0.79]


def sample(*values, **told):
    return Sample(dict(enumerate(values)), **told)


@pytest.mark.slow  # statsmodels takes ten seconds to be ready
def test_holm_is_that_of_statsmodels():
    rng = np.random.default_rng(0)
    for size in (1, 2, 5, 30):
        for _ in range(8):  # statsmodels takes 20 ms each
            p_values = rng.random(size) ** 3
            expected = multipletests(p_values, method="holm")[1]
            assert holm(list(p_values)) == pytest.approx(expected, abs=1e-8)


def test_of_two_tests_the_larger_p_counts():
    """Seeds that all agree by luck do not count as certain: other rows show how they spread."""
    agreeing, swinging = [0.85, 0.86, 0.8401], [0.70, 0.90, 0.83]
    alone, _ = judge([sample(*agreeing), sample(*agreeing)], sample(*CONTROL), lowest=False)
    found, _ = judge([sample(*agreeing), sample(*swinging)], sample(*CONTROL), lowest=False)
    assert alone.verdict == "better"
    assert found.verdict is None
    assert (found.low, found.high) == (alone.low, alone.high)
    squares = [np.var(group) * 3 for group in (agreeing, swinging, CONTROL)]
    t = found.mean / np.sqrt(sum(squares) / 6 * 2 / 3)
    assert found.p == pytest.approx(2 * stats.t.sf(t, 6), abs=1e-8)


def test_many_rows_need_more_than_one_would():
    values = [0.83, 0.852, 0.831]
    rows = [sample(*np.add(CONTROL, [0.003, -0.004, 0.002])) for _ in range(9)]
    (alone,) = judge([sample(*values)], sample(*CONTROL), lowest=False)
    first, *_ = judge([sample(*values), *rows], sample(*CONTROL), lowest=False)
    assert (alone.verdict, first.verdict) == ("better", None)
    assert first.p_holm == pytest.approx(10 * first.p)
    assert first.low > 0  # its own interval is still shown


def test_runs_that_did_not_learn_get_no_t_interval():
    control = sample(*np.linspace(0.74, 0.76, 10))
    stuck = sample(*[0.1] * 9, 0.75, did_not_learn=9)
    (found,) = judge([stuck], control, lowest=False)
    assert (found.low, found.high, found.test, found.verdict) == (None, None, "Fisher", "worse")
    assert found.p == pytest.approx(stats.fisher_exact([[9, 1], [0, 10]]).pvalue, abs=1e-8)
    (back,) = judge([control], stuck, lowest=False)
    assert back.verdict == "better"


def test_three_seeds_cannot_show_that_a_net_does_not_learn():
    (found,) = judge([sample(0.1, 0.1, 0.1, did_not_learn=3)], sample(*CONTROL), lowest=False)
    assert found.p == pytest.approx(0.1)
    assert found.verdict is None


def test_diverged_runs_count_though_they_have_no_score():
    rows = [sample(0.85, 0.851, 0.849, did_not_learn=7, of=10)]
    (found,) = judge(rows, sample(*np.linspace(0.74, 0.76, 10)), lowest=False)
    assert (found.test, found.verdict) == ("Fisher", "worse")


def test_where_poor_runs_were_given_up_nothing_is_said():
    rows = [sample(0.85, 0.851, 0.849, is_selected=True)]
    (found,) = judge(rows, sample(*CONTROL), lowest=False)
    assert (found.p, found.p_holm, found.verdict) == (None, None, None)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5])
def test_one_sweep_in_twenty_at_most_has_a_false_verdict(seeds):
    rng = np.random.default_rng(seeds)
    false = 0
    for values in rng.normal(0.8, 0.01, (2000, 6, seeds)).tolist():
        control, *rows = (sample(*row) for row in values)
        false += any(one.verdict for one in judge(rows, control, lowest=False))
    assert false / 2000 <= 0.05
