"""Verdicts on the rows of a comparison: in 5 % of comparisons at most one or more is false.

Each row is tested against the control, and Holm's step-down (Scandinavian Journal of Statistics 6,
1979) holds the tests together. Dunnett's test of all rows against one control would find more, but
takes it that all rows spread alike, and a net that swings spreads ten times as much as a good one.

Two tests decide on a row, and the larger p counts: the paired t (or Welch's), which three seeds
that agree by luck deceive, and the t by the spread within all rows together, which rows of unlike
spread deceive. Where runs did not learn, neither holds: the shares of runs that did are compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, nan, sqrt
from statistics import fmean
from typing import Generic

from lenetctl.analysis.exact import fisher
from lenetctl.analysis.statistics import SAME, Difference, Unit, difference, two_sided_p, variance

ALPHA = 0.05  # of comparisons have a false verdict, at most
UNKNOWN = Difference(nan, None, None, paired=True, verdict=None)


@dataclass(frozen=True)
class Sample(Generic[Unit]):
    """What the runs of a group say in a comparison."""

    values: Mapping[Unit, float]  # of those that finished, by what pairs them
    did_not_learn: int = 0  # of them, and of those that diverged
    of: int = 0  # runs that could have learned; 0: as many as there are values
    is_selected: bool = False  # poor ones were given up, so the values flatter

    @property
    def runs(self) -> int:
        """How many runs tell whether they learned."""
        return self.of or len(self.values)

    @property
    def is_plain(self) -> bool:
        """Whether its mean and spread tell of all of its runs."""
        return not self.did_not_learn and not self.is_selected


def judge(
    samples: Sequence[Sample[Unit]], control: Sample[Unit], *, lowest: bool, alpha: float = ALPHA
) -> list[Difference]:
    """Return the difference of each sample to `control`; `lowest`: less is better.

    The interval and p of each are its own; `p_holm` and the verdict are those of the family.
    """
    spread = _Spread.within([sample for sample in (*samples, control) if sample.is_plain])
    found = [_tested(sample, control, spread, lowest=lowest) for sample in samples]
    return _family(found, alpha)


def judge_gains(gains: Sequence[Mapping[Unit, float]], *, lowest: bool) -> list[Difference]:
    """Return whether the mean of each sample of differences is other than 0, as `judge` does it.

    A sample without values is not known: its mean is NaN.
    """
    spread = _Spread.within([Sample(one) for one in gains])
    found = []
    for one in gains:
        gap = difference(one, dict.fromkeys(one, 0.0), lowest=lowest) if one else UNKNOWN
        if gap.p is not None and spread:
            gap = replace(gap, p=max(gap.p, spread.p(gap.mean, len(one), inf)))
        found.append(gap)
    return _family(found, ALPHA)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values as Holm adjusts them, in the order in which they were given."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


@dataclass(frozen=True)
class _Spread:
    """The variance within groups that is common to all, and its degrees of freedom."""

    variance: float
    freedom: int

    @classmethod
    def within(cls, samples: Sequence[Sample[Unit]]) -> _Spread | None:
        several = [[*sample.values.values()] for sample in samples if len(sample.values) > 1]
        freedom = sum(len(values) - 1 for values in several)
        squares = sum(variance(values) * (len(values) - 1) for values in several)
        return cls(squares / freedom, freedom) if freedom and sqrt(squares) > SAME else None

    def p(self, mean: float, runs: float, others: float) -> float:
        error = sqrt(self.variance * (1 / runs + 1 / others))
        return two_sided_p(mean / error, self.freedom)


def _tested(
    sample: Sample[Unit], control: Sample[Unit], spread: _Spread | None, *, lowest: bool
) -> Difference:
    if not (sample.is_plain and control.is_plain):
        return _by_learning(sample, control)
    found = difference(sample.values, control.values, lowest=lowest)
    if found.p is None or spread is None:
        return found
    shared = len(sample.values.keys() & control.values.keys())
    sizes = (shared, shared) if found.paired else (len(sample.values), len(control.values))
    return replace(found, p=max(found.p, spread.p(found.mean, *sizes)))


def _by_learning(sample: Sample[Unit], control: Sample[Unit]) -> Difference:
    """Compare how many learned; a mean over runs that did and runs that did not has no interval."""
    mean = fmean(sample.values.values()) - fmean(control.values.values())
    if sample.is_selected or control.is_selected:
        return Difference(mean, None, None, paired=False, verdict=None)
    p = fisher(sample.did_not_learn, sample.runs, control.did_not_learn, control.runs)
    fewer = sample.did_not_learn * control.runs < control.did_not_learn * sample.runs
    verdict = "better" if fewer else "worse"
    return Difference(mean, None, None, paired=False, verdict=verdict, p=p, test="Fisher")


def _family(found: Sequence[Difference], alpha: float) -> list[Difference]:
    adjusted = iter(holm([one.p for one in found if one.p is not None]))
    return [one if one.p is None else _held_together(one, next(adjusted), alpha) for one in found]


def _held_together(found: Difference, adjusted: float, alpha: float) -> Difference:
    verdict = found.verdict if adjusted <= alpha else None
    return replace(found, p_holm=adjusted, verdict=verdict)
