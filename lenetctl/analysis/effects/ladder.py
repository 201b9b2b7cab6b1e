"""What each change contributes on the way from one spec to another.

A step adds one change; what it gains is the difference of two mixtures' scores, seed by seed. Of a
change the mean over several ways estimates its Shapley value (L. S. Shapley, Contributions to the
Theory of Games II, 1953). A way and its reverse share what two changes do only together equally
between them, so their mean is that value itself where no three changes interact.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from statistics import fmean

from lenetctl.analysis.groups import SEED, Group
from lenetctl.analysis.statistics import Difference
from lenetctl.analysis.verdicts import UNKNOWN, judge_gains
from lenetctl.sweeps.ladder import Mixture, Way, added

Scores = Mapping[int, float]  # by seed


@dataclass(frozen=True)
class Rung:
    """What the runs of one mixture came to."""

    scores: Scores  # of those with a result
    lost: int = 0  # those without
    did_not_learn: int = 0  # of both

    @classmethod
    def of(cls, group: Group, metric: str) -> Rung:
        """Read the runs of a group."""
        scores = {
            int(run.keys[SEED]): run.scores[metric]
            for run in group.runs.values()
            if metric in run.scores
        }
        return cls(scores, len(group.without_result), group.did_not_learn.count)


@dataclass(frozen=True)
class Contribution:
    """What a change gains; where the means are NaN, no way tells."""

    up: Difference  # where it is added to BASE in the order of the keys
    down: Difference  # where it is taken away from BEST in that order
    mean: Difference  # over all ways; its verdict is held together with those of all changes
    ways: int  # that tell
    did_not_learn: bool  # some run of a mixture that it was added to or made: no interval


def contributions(
    ways: Sequence[Way], rungs: Mapping[Mixture, Rung], *, lowest: bool
) -> dict[str, Contribution]:
    """Return what each change gains, by its name.

    Args:
        ways: the first one up, the second one down, then any others.
        rungs: by mixture; those that could not be made are left out.
        lowest: less is better.

    """
    gains = [_gains(way, rungs) for way in ways]
    unclear = {
        name
        for way in ways
        for name, *pair in added(way)
        if any(mixture in rungs and rungs[mixture].did_not_learn for mixture in pair)
    }
    names = [name for name, *_ in added(ways[0])]
    means = {name: _mean([own[name] for own in gains if own.get(name)]) for name in names}
    clear = [name for name in names if name not in unclear]
    verdicts = judge_gains([means[name] for name in clear], lowest=lowest)
    judged = dict(zip(clear, verdicts, strict=True))

    def alone(scores: Scores, name: str) -> Difference:
        return _alone(scores, name in unclear, lowest=lowest)

    return {
        name: Contribution(
            up=alone(gains[0].get(name, {}), name),
            down=alone(gains[1].get(name, {}), name),
            mean=judged[name] if name in judged else alone(means[name], name),
            ways=sum(bool(own.get(name)) for own in gains),
            did_not_learn=name in unclear,
        )
        for name in names
    }


def total(base: Rung, best: Rung, *, lowest: bool) -> Difference:
    """Return how far BEST is from BASE, over the seeds that both have."""
    unclear = bool(base.did_not_learn or best.did_not_learn)
    return _alone(_step(base, best), unclear, lowest=lowest)


def _gains(way: Way, rungs: Mapping[Mixture, Rung]) -> dict[str, Scores]:
    """Return what each step of a way gains by seed, of those whose two mixtures are there."""
    return {
        name: _step(rungs[before], rungs[after])
        for name, before, after in added(way)
        if before in rungs and after in rungs
    }


def _step(before: Rung, after: Rung) -> Scores:
    shared = before.scores.keys() & after.scores.keys()
    return {seed: after.scores[seed] - before.scores[seed] for seed in sorted(shared)}


def _mean(gains: Sequence[Scores]) -> Scores:
    by_seed = defaultdict(list)
    for one in gains:
        for seed, gain in one.items():
            by_seed[seed].append(gain)
    return {seed: fmean(values) for seed, values in by_seed.items()}


def _alone(gains: Scores, is_unclear: bool, *, lowest: bool) -> Difference:
    """Return a difference by itself; without an interval where some runs did not learn."""
    if not gains:
        return UNKNOWN
    if is_unclear:
        return Difference(fmean(gains.values()), None, None, paired=True, verdict=None)
    (found,) = judge_gains([gains], lowest=lowest)
    return found


def remainder(whole: Difference, parts: Mapping[str, Contribution]) -> float:
    """Return what of the whole difference no change accounts for: 0 where every way is known."""
    return whole.mean - sum(one.mean.mean for one in parts.values() if not isnan(one.mean.mean))
