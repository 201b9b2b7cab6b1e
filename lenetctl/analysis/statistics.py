"""Mean and spread of a few runs' values, and how far two groups of runs are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev, variance
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
        return cls(fmean(values), stdev(values) if len(values) > 1 else None)


@dataclass(frozen=True)
class Difference:
    """A group's mean minus the control's, with its 95 % confidence interval."""

    mean: float
    low: float | None  # None where there are too few seeds, or their values do not spread
    high: float | None
    paired: bool
    verdict: str | None  # better or worse, said only where the interval excludes 0


def difference(
    values: Mapping[Unit, float], control: Mapping[Unit, float], *, lowest: bool
) -> Difference:
    """Return how far the mean of `values` is from that of `control`; `lowest`: less is better.

    Where they share two seeds or more the interval is the paired t over these (and the mean is
    over these), else Welch's (B. L. Welch, Biometrika 34, 1947).
    """
    shared = [unit for unit in values if unit in control]
    paired = len(shared) > 1
    if paired:
        samples = [[values[unit] - control[unit] for unit in shared]]
        mean = fmean(samples[0])
    else:
        samples = [list(values.values()), list(control.values())]
        mean = fmean(samples[0]) - fmean(samples[1])
    margin = _margin(samples)
    if margin is None:
        return Difference(mean, None, None, paired, None)
    verdict = None
    if abs(mean) > margin:
        verdict = "better" if (mean < 0) == lowest else "worse"
    return Difference(mean, mean - margin, mean + margin, paired, verdict)


def _margin(samples: list[list[float]]) -> float | None:
    """Return half the width of the interval for the mean of one sample, or a gap of two means."""
    # scipy.stats has the same numbers, and takes a second and more to import
    from scipy.special import stdtrit  # type: ignore[import-untyped]  # noqa: PLC0415

    if min(map(len, samples)) < 2:
        return None
    squares = [variance(sample) / len(sample) for sample in samples]  # of the standard errors
    total = sum(squares)
    if sqrt(total) < SAME:
        return None
    parts = (square**2 / (len(sample) - 1) for square, sample in zip(squares, samples, strict=True))
    return float(stdtrit(total**2 / sum(parts), 0.975) * sqrt(total))
