"""A difference in standard deviations: how far apart two groups are, beside what seeds do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, lgamma, log, sqrt
from statistics import fmean

from lenetctl.analysis.statistics import SAME, Unit, variance


@dataclass(frozen=True)
class EffectSize:
    """Hedges' g (Journal of Educational Statistics 6, 1981) with its 95 % confidence interval."""

    g: float
    low: float
    high: float


def effect_size(values: Mapping[Unit, float], control: Mapping[Unit, float]) -> EffectSize | None:
    """Return the effect of going from `control` to `values`; None with too few seeds or no spread.

    Where they share two seeds or more its unit is the standard deviation of the paired
    differences, else the one pooled within both groups. The interval is that of the noncentral t.
    """
    from scipy.special import nctdtrinc  # type: ignore[import-untyped]  # noqa: PLC0415

    shared = [unit for unit in values if unit in control]
    if len(shared) > 1:
        gaps = [values[unit] - control[unit] for unit in shared]
        mean, spread = fmean(gaps), sqrt(variance(gaps))
        size, freedom = float(len(gaps)), len(gaps) - 1
    else:
        groups = [[*values.values()], [*control.values()]]
        several = [group for group in groups if len(group) > 1]
        freedom = sum(len(group) - 1 for group in several)
        squares = sum(variance(group) * (len(group) - 1) for group in several)
        mean, spread = fmean(groups[0]) - fmean(groups[1]), sqrt(squares / max(1, freedom))
        size = 1 / sum(1 / len(group) for group in groups)
    if spread < SAME or freedom < 2:  # of one degree of freedom g has no mean
        return None
    bias = exp(lgamma(freedom / 2) - lgamma((freedom - 1) / 2) - log(freedom / 2) / 2)
    t = mean / spread * sqrt(size)
    low, high = (float(nctdtrinc(freedom, part, t)) / sqrt(size) for part in (0.975, 0.025))
    return EffectSize(bias * mean / spread, bias * low, bias * high)
