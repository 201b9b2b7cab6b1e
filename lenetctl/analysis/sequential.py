"""How many seeds a verdict needs: rows are looked at as seeds come in, and left once decided.

To look often and stop at the first significant difference finds one where there is none. So the
5 % are spent in equal parts on the looks and the rows, as an alpha-spending function (Lan and
DeMets, Biometrika 70, 1983) may do that is fixed beforehand. The parts simply add up, whatever the
looks have in common (Bonferroni): no step takes seeds to be normal but the t itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

from lenetctl.analysis.statistics import Unit
from lenetctl.analysis.verdicts import ALPHA, Sample, judge

FIRST, GROWTH = 3, 1.6  # seeds of the first look, and how many times as many the next one has

Verdict = Literal["better", "worse", "equivalent"]


@dataclass(frozen=True)
class StoppingRule:
    """When a row is decided, fixed before its first run."""

    rows: int  # that are tested, all of them against one control
    margin: float  # a mean within this of the control's makes no difference
    max_seeds: int  # 3 or more

    @property
    def looks(self) -> list[int]:
        """The numbers of seeds after which rows are looked at."""
        found = [FIRST]
        while found[-1] < self.max_seeds:
            found.append(min(ceil(found[-1] * GROWTH), self.max_seeds))
        return found

    @property
    def alpha(self) -> float:
        """What one look at one row may spend."""
        return ALPHA / len(self.looks) / self.rows

    def decide(
        self, samples: Sequence[Sample[Unit]], control: Sample[Unit], *, lowest: bool
    ) -> list[Verdict | None]:
        """Return the verdict on each sample by now; None: it takes more seeds.

        Equivalent is two one-sided tests (Schuirmann, 1987): above the control less the margin, and
        below the control plus the margin.
        """
        apart = judge(samples, control, lowest=lowest, alpha=1)
        raised = judge([_moved(one, self.margin) for one in samples], control, lowest=False)
        lowered = judge([_moved(one, -self.margin) for one in samples], control, lowest=False)
        verdicts: list[Verdict | None] = []
        for gap, above, below in zip(apart, raised, lowered, strict=True):
            is_within = above.mean > 0 > below.mean and gap.test != "Fisher"
            one_sided = [0.5 * one.p for one in (above, below) if one.p is not None]
            if is_within and len(one_sided) == 2 and max(one_sided) <= self.alpha:
                verdicts.append("equivalent")
            elif gap.p is not None and gap.p <= self.alpha:
                verdicts.append("better" if gap.verdict == "better" else "worse")
            else:
                verdicts.append(None)
        return verdicts


def _moved(sample: Sample[Unit], by: float) -> Sample[Unit]:
    return replace(sample, values={unit: value + by for unit, value in sample.values.items()})
