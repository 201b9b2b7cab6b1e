import numpy as np
import pytest
from scipy import stats

from lenetctl.analysis.effect_size import effect_size

rng = np.random.default_rng(0)


def by_seed(values, start=0):
    return dict(enumerate(map(float, values), start))


@pytest.mark.parametrize("n", [3, 5, 10])
def test_paired_it_is_in_deviations_of_the_differences(n):
    values, control = rng.normal(0.85, 0.01, n), rng.normal(0.8, 0.01, n)
    found = effect_size(by_seed(values), by_seed(control))
    gaps = values - control
    bias = stats.chi(n - 1).mean() ** -1 * (n - 2) / np.sqrt(n - 1)  # Hedges' J
    assert found.g == pytest.approx(bias * gaps.mean() / gaps.std(ddof=1), abs=1e-8)
    t = stats.ttest_rel(values, control).statistic
    for bound, part in ((found.low, 0.975), (found.high, 0.025)):
        noncentrality = bound / bias * np.sqrt(n)
        assert stats.nct.cdf(t, n - 1, noncentrality) == pytest.approx(part, abs=1e-5)


@pytest.mark.parametrize(("n", "m"), [(3, 5), (8, 1)])
def test_unpaired_it_is_in_deviations_within_groups(n, m):
    values, control = rng.normal(0.85, 0.01, n), rng.normal(0.8, 0.01, m)
    found = effect_size(by_seed(values), by_seed(control, start=50))
    squares = sum(((group - group.mean()) ** 2).sum() for group in (values, control))
    freedom = n + m - 2
    bias = stats.chi(freedom).mean() ** -1 * (freedom - 1) / np.sqrt(freedom)
    gap = (values.mean() - control.mean()) / np.sqrt(squares / freedom)
    assert found.g == pytest.approx(bias * gap, abs=1e-8)
    t = gap / np.sqrt(1 / n + 1 / m)
    noncentrality = found.low / bias / np.sqrt(1 / n + 1 / m)
    assert stats.nct.cdf(t, freedom, noncentrality) == pytest.approx(0.975, abs=1e-5)


def test_without_spread_there_is_none():
    assert effect_size(by_seed([0.9]), by_seed([0.8])) is None
    assert effect_size(by_seed([0.3, 0.4]), by_seed([0.1, 0.2])) is None


def test_two_pairs_have_too_little_for_a_correction():
    found = effect_size(by_seed([0.8, 0.9]), by_seed([0.7, 0.75]))
    assert found is None
