import numpy as np
import pytest
from scipy import stats

from lenetctl.analysis.exact import Share, fisher

CASES = np.random.default_rng(0).integers(1, 30, size=(200, 4))


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_interval_is_clopper_and_pearsons(level):
    for of, part, *_ in CASES:
        count = int(part % (of + 1))
        found = Share.exact(count, int(of), level)
        expected = stats.binomtest(count, int(of)).proportion_ci(level, method="exact")
        assert (found.low, found.high) == pytest.approx(tuple(expected), abs=1e-8)


def test_it_covers_the_truth_often_enough():
    shares = [Share.exact(count, 3) for count in range(4)]
    for truth in np.linspace(0, 1, 101):
        chances = stats.binom.pmf(range(4), 3, truth)
        covered = [share.low <= truth <= share.high for share in shares]
        assert chances[covered].sum() >= 0.95 - 1e-12


def test_a_share_in_words():
    assert str(Share.exact(2, 3)) == "2 of 3 (95 %: 0.09 to 0.99)"


def test_fishers_p():
    for of, of_other, part, other_part in map(tuple, CASES.tolist()):
        count, other = part % (of + 1), other_part % (of_other + 1)
        table = [[count, of - count], [other, of_other - other]]
        found = fisher(count, of, other, of_other)
        assert found == pytest.approx(stats.fisher_exact(table).pvalue, abs=1e-8)
