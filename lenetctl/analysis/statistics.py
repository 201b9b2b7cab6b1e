"""Mean and spread of a few runs' values, and how far two groups of runs are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean
from typing import TypeVar

Unit = TypeVar("Unit")  # by which the runs of two groups pair: a seed

SAME = 1e-9  # a spread below is rounding: an accuracy moves in steps of one image


@dataclass(frozen=True)
class Summary:
    """Mean and sample standard deviation; no deviation of a single value."""

    mean: float
    std: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Summary:
        """Summarise `values`, one or more."""
        if len(values) < 2:
            return cls(fmean(values), None)
        # of equal values the mean can be a last digit off, and no spread must stay none
        return cls(fmean(values), sqrt(variance(values)) if len(set(values)) > 1 else 0.0)


@dataclass(frozen=True)
class Difference:
    """A group's mean minus the control's, with its 95 % confidence interval."""

    mean: float
    low: float | None  # None where there are too few seeds, or their values do not spread
    high: float | None
    paired: bool
    verdict: str | None  # better or worse, said only where the interval excludes 0
    p: float | None = None  # two-sided, that there is no difference
    p_holm: float | None = None  # the same, adjusted for the other rows of a comparison
    test: str | None = None  # whose p it is: paired t, Welch or Fisher


def difference(
    values: Mapping[Unit, float], control: Mapping[Unit, float], *, lowest: bool
) -> Difference:
    """Return how far the mean of `values` is from that of `control`; `lowest`: less is better.

    Where they share two seeds or more the interval is the paired t over these (and the mean is
    over these), else Welch's (B. L. Welch, Biometrika 34, 1947).
    """
    # scipy.stats has the same numbers, and takes a second and more to import
    from scipy.special import stdtrit  # type: ignore[import-untyped]  # noqa: PLC0415

    shared = [unit for unit in values if unit in control]
    paired = len(shared) > 1
    if paired:
        samples = [[values[unit] - control[unit] for unit in shared]]
        mean = fmean(samples[0])
    else:
        samples = [list(values.values()), list(control.values())]
        mean = fmean(samples[0]) - fmean(samples[1])
    error, freedom = _standard_error(samples)
    if error < SAME:
        return Difference(mean, None, None, paired, None)
    margin = float(stdtrit(freedom, 0.975) * error)
    verdict = None
    if abs(mean) > margin:
        verdict = "better" if (mean < 0) == lowest else "worse"
    p = two_sided_p(mean / error, freedom)
    test = "paired t" if paired else "Welch"
    return Difference(mean, mean - margin, mean + margin, paired, verdict, p, test=test)


def variance(values: Sequence[float]) -> float:
    """Return the sample variance of two values or more; `statistics` has it exact, and slow."""
    mean = fmean(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)


def two_sided_p(t: float, freedom: float) -> float:
    """Return how likely a Student's t with so many degrees of freedom is as far from 0 as `t`."""
    from scipy.special import stdtr  # noqa: PLC0415

    return float(2 * stdtr(freedom, -abs(t)))


def _standard_error(samples: list[list[float]]) -> tuple[float, float]:
    """Return that of one sample's mean, or of a gap of two means, and its degrees of freedom.

    It is 0 where a sample has no spread because it is a single value.
    """
    if min(map(len, samples)) < 2:
        return 0, 0
    squares = [variance(sample) / len(sample) for sample in samples]
    total = sum(squares)
    if sqrt(total) < SAME:
        return 0, 0
    parts = (square**2 / (len(sample) - 1) for square, sample in zip(squares, samples, strict=True))
    return sqrt(total), total**2 / sum(parts)
