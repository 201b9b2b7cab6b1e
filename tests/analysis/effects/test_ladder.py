"""A ladder's arithmetic, where the truth is known: the scores are a function of the changes."""

from itertools import chain, combinations

import pytest

from lenetctl.analysis.effects.ladder import Rung, contributions, remainder, total
from lenetctl.sweeps.ladder import Ladder

NAMES = ("a", "b", "c", "d")
LUCK = {0: 0.01, 1: -0.02, 2: 0.015}  # of a seed, whatever the changes
EFFECTS = {"a": 0.05, "b": -0.01, "c": 0.02, "d": 0.0}


class Free(Ladder):
    """A ladder that knows no impossible mixture, and no specs either."""

    def _is_possible(self, mixture):
        return True


def ways(orders=0):
    return Free(None, None, None, dict.fromkeys(NAMES)).ways(orders)


def rungs(together=lambda made: 0.0, noise=lambda made, seed: 0.0):
    """Scores of every mixture: what each change gains by itself, and what some gain together."""
    mixtures = chain.from_iterable(combinations(NAMES, n) for n in range(len(NAMES) + 1))
    return {
        frozenset(made): Rung(
            {
                seed: 0.7
                + luck
                + sum(map(EFFECTS.get, made))
                + together({*made})
                + noise(made, seed)
                for seed, luck in LUCK.items()
            }
        )
        for made in mixtures
    }


def means(found, which="mean"):
    return {name: pytest.approx(getattr(one, which).mean, abs=1e-12) for name, one in found.items()}


def test_additive_effects_are_recovered_exactly_from_every_way():
    found = contributions(ways(5), rungs(), lowest=False)
    for which in ("up", "down", "mean"):
        assert means(found, which) == EFFECTS
    assert {one.ways for one in found.values()} == {12}


def test_what_two_changes_do_together_goes_to_the_one_that_comes_later_and_in_the_mean_to_both():
    both = rungs(lambda made: 0.04 if {"a", "c"} <= made else 0.0)
    found = contributions(ways(), both, lowest=False)
    assert means(found, "up") == EFFECTS | {"c": 0.02 + 0.04}
    assert means(found, "down") == EFFECTS | {"a": 0.05 + 0.04}
    assert means(found) == EFFECTS | {"a": 0.07, "c": 0.04}


def test_the_parts_add_up_to_the_whole_whatever_interacts():
    odd = rungs(lambda made: 0.03 if len(made) == 3 else -0.02 * ("b" in made and "d" in made))
    found = contributions(ways(3), odd, lowest=False)
    whole = total(odd[frozenset()], odd[frozenset(NAMES)], lowest=False)
    assert remainder(whole, found) == pytest.approx(0, abs=1e-12)


def test_three_that_act_only_together_share_it_over_many_orders():
    three = rungs(lambda made: 0.06 if {"a", "b", "c"} <= made else 0.0)
    up_and_down = contributions(ways(), three, lowest=False)
    assert means(up_and_down) == EFFECTS | {"a": 0.05 + 0.03, "c": 0.02 + 0.03}
    many = contributions(ways(300), three, lowest=False)
    shares = {name: many[name].mean.mean - EFFECTS[name] for name in "abc"}
    assert shares == pytest.approx(dict.fromkeys("abc", 0.02), abs=0.002)


def test_a_verdict_takes_a_gain_that_seeds_do_not_make():
    swings = {"a": {0: 0.001, 1: -0.001, 2: 0.0}, "b": {0: 0.05, 1: -0.04, 2: 0.0}}
    noisy = rungs(noise=lambda made, seed: sum(swings.get(name, {}).get(seed, 0) for name in made))
    found = contributions(ways(), noisy, lowest=False)
    assert found["a"].mean.low < EFFECTS["a"] < found["a"].mean.high
    assert found["b"].mean.verdict is None
    # of one value with every seed there is no interval, and no verdict by luck of three
    assert found["d"].mean.low is None
    worse = contributions(ways(), noisy, lowest=True)
    assert worse["a"].mean.p == found["a"].mean.p


def test_a_mixture_that_cannot_be_leaves_its_steps_unknown():
    gone = frozenset({"a"})
    known = {mixture: rung for mixture, rung in rungs().items() if mixture != gone}
    found = contributions(ways(), known, lowest=False)
    assert means(found, "down") == EFFECTS
    assert {name for name, one in found.items() if one.up.mean != one.up.mean} == {"a", "b"}
    assert found["a"].ways == 1
    assert means(found) == EFFECTS


def test_runs_that_did_not_learn_take_the_interval():
    known = rungs(noise=lambda made, seed: 0.01 * seed * len(made))
    bad = frozenset({"a", "b"})
    known[bad] = Rung({0: 0.1, 1: 0.1, 2: 0.8}, did_not_learn=2)
    found = contributions(ways(), known, lowest=False)
    assert {name for name, one in found.items() if one.did_not_learn} == {"b", "c"}
    assert found["b"].mean.low is None
    assert found["d"].mean.low is not None
