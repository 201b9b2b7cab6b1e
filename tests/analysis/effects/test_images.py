import numpy as np
import pytest
from scipy import stats

from lenetctl.analysis.effects.images import compare_images
from lenetctl.analysis.exact import mcnemar


def nets(probabilities, seeds, start=0):
    """Nets that get each image right with its own probability, by seed."""
    drawn = np.random.default_rng(start)
    return {seed: drawn.random(len(probabilities)) < probabilities for seed in range(seeds)}


def test_mcnemars_p_is_that_of_the_binomial_test():
    drawn = np.random.default_rng(0)
    for gained, lost in drawn.integers(0, 400, (200, 2)).tolist():
        if gained + lost:
            expected = stats.binomtest(gained, gained + lost, 0.5).pvalue
            assert mcnemar(gained, lost) == pytest.approx(expected, abs=1e-8)
    assert mcnemar(0, 0) == 1


@pytest.mark.slow  # statsmodels takes ten seconds to be ready
def test_mcnemars_p_is_that_of_statsmodels():
    from statsmodels.stats.contingency_tables import mcnemar as theirs

    for gained, lost in np.random.default_rng(1).integers(0, 300, (200, 2)).tolist():
        expected = theirs([[5, gained], [lost, 7]], exact=True).pvalue
        assert mcnemar(gained, lost) == pytest.approx(expected, abs=1e-8)


def test_counts_by_hand():
    control = {0: np.array([1, 1, 0, 0, 0], bool), 1: np.array([1, 1, 1, 0, 0], bool)}
    variant = {0: np.array([0, 1, 1, 1, 0], bool), 2: np.array([0, 1, 1, 1, 0], bool)}
    found = compare_images(variant, control, draws=10)
    assert found.gained == pytest.approx((2 + 1) / 2 / 5)
    assert found.lost == pytest.approx(1 / 5)
    assert found.by_seeds == pytest.approx((0 + 1 / 5) / 2)
    assert found.beyond.value == pytest.approx(0.3 + 0.2 - 0.1)
    assert found.difference.value == pytest.approx(0.6 - 0.5)
    assert list(found.always) == [3]
    assert list(found.never) == [0]
    ((seed, pair),) = found.pairs.items()
    assert (seed, pair.gained, pair.lost) == (0, 2, 1)


def test_variants_that_differ_in_luck_alone_flip_no_more_than_seeds_do():
    p = np.random.default_rng(5).beta(4, 1, 4000)
    covered = []
    for start in range(0, 40, 2):
        found = compare_images(nets(p, 3, start), nets(p, 3, start + 1), draws=200)
        covered.append(found.beyond.low <= 0)
        assert abs(found.beyond.value) < 0.01
    assert sum(covered) >= 18  # of 20


def test_what_is_beyond_is_the_mean_square_of_the_difference_in_probability():
    drawn = np.random.default_rng(7)
    p = drawn.beta(4, 1, 10_000)
    q = np.where(drawn.random(10_000) < 0.05, 1 - p, p)
    found = compare_images(nets(p, 5, 1), nets(q, 5, 2), draws=300)
    assert found.beyond.value == pytest.approx(np.mean((p - q) ** 2), abs=0.004)
    assert found.beyond.low > 0.01
    assert found.difference.low <= np.mean(p - q) <= found.difference.high


def test_one_seed_cannot_say_what_seeds_flip():
    p = np.full(50, 0.8)
    found = compare_images(nets(p, 1), nets(p, 3, 1))
    assert (found.by_seeds, found.beyond, found.difference) == (None, None, None)
    assert [*found.pairs] == [0]


def test_the_same_nets_give_the_same_interval():
    p = np.full(300, 0.8)
    first, second = (compare_images(nets(p, 3), nets(p, 3, 1), draws=50) for _ in range(2))
    assert first.beyond == second.beyond
