"""Finished runs ranked: the table that ends a sweep and that of `lenetctl compare` are one ranking.

Each run counts with the metrics of its best epoch where a validation split chose that one, else of
its last. Where every run held images out, validation accuracy ranks, else test accuracy does. The
test set of a run with a validation split was read once, with the best epoch's weights: its last
and best test metrics are equal.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isfinite, nan
from typing import TYPE_CHECKING

from lenetctl.analysis import CONTROL
from lenetctl.analysis.effect_size import EffectSize, effect_size
from lenetctl.analysis.groups import ComparedRun, Group, differing_keys, group_runs, read_runs
from lenetctl.analysis.statistics import Difference, Summary
from lenetctl.analysis.verdicts import judge
from lenetctl.errors import NotFoundError, UsageError
from lenetctl.runs.folder import Run
from lenetctl.specs.differences import unusual_settings, usual_values
from lenetctl.specs.identity import Value
from lenetctl.specs.layers import net_size
from lenetctl.training.metrics import TEST_ACCURACY, VALIDATION_ACCURACY, lowest_is_best

if TYPE_CHECKING:
    from lenetctl.analysis.learning_curves import LearningCurve


@dataclass(frozen=True, eq=False)
class Row:
    """A group in a ranking."""

    group: Group
    score: Summary  # at the epoch that counts: what ranks
    last: Summary
    best: Summary
    difference: Difference | None = None  # of the scores; None for the control, or without one
    effect: EffectSize | None = None  # the same in standard deviations


@dataclass(frozen=True, eq=False)
class Comparison:
    """Groups of runs, the best mean first."""

    metric: str
    rows: list[Row]
    by: str | None = None  # the key that groups; None: over seeds
    control: Group | None = None
    unranked: list[Group] = field(default_factory=list)  # no run of theirs has a result

    @property
    def groups(self) -> list[Group]:
        """The groups of the rows."""
        return [row.group for row in self.rows]

    @property
    def runs(self) -> list[ComparedRun]:
        """The runs with a result of all groups."""
        return [run for group in self.groups for run in group.runs.values()]

    @property
    def epoch(self) -> str:
        """Of which epoch the scores are, in words."""
        held_out = [run.is_validated for run in self.runs]
        if any(held_out) and not all(held_out):
            return "best epoch where images were held out, else last epoch"
        return "best epoch" if all(held_out) else "last epoch"

    @property
    def test_metric(self) -> str | None:
        """What is shown beside a metric of the validation split: the same of the test set."""
        split, _, measure = self.metric.partition("/")
        return f"test/{measure}" if split == "validation" else None

    @cached_property
    def keys(self) -> list[str]:
        """The keys of the spec that differ between the rows."""
        return differing_keys(self.groups)

    @cached_property
    def usual(self) -> dict[str, Value | None]:
        """What the control has for each key, or else what most rows have."""
        specs = [self.control] if self.control else self.groups
        usual = usual_values(group.common for group in specs)
        return {key: usual.get(key) for key in self.keys}

    @property
    def ranking(self) -> list[tuple[str, list[float], float, float | None]]:
        """The rows as `figures.ranked` draws them: name, scores, their mean and deviation."""
        return [
            (
                row.group.name,
                [*row.group.scores(self.metric).values()],
                row.score.mean,
                row.score.std,
            )
            for row in self.rows
        ]

    @property
    def curves(self) -> dict[str, LearningCurve]:
        """The metric over the epochs by group, as `figures.bands` draws it.

        Empty where it was measured only at the end.
        """
        # not above: it has arrays, and most comparisons draw nothing
        from lenetctl.analysis.learning_curves import learning_curve  # noqa: PLC0415

        curves = {group.name: learning_curve(group, self.metric) for group in self.groups}
        return curves if any(curve.is_measured for curve in curves.values()) else {}

    @property
    def sizes(self) -> list[tuple[int, int, float]]:
        """Parameters, multiply-accumulates and score of each row, as `figures.trade_off` has them.

        Empty where all nets are of one size, where a row's are not, and of a loss.
        """
        if lowest_is_best(self.metric):
            return []
        runs = [group.runs.values() for group in self.groups]
        sizes = [{net_size(run.run.spec().model) for run in of_row} for of_row in runs]
        if any(len(of_row) > 1 for of_row in sizes) or len(set.union(*sizes)) == 1:
            return []
        return [(*size, row.score.mean) for (size,), row in zip(sizes, self.rows, strict=True)]

    def unusual(self, row: Row) -> list[str]:
        """Return in what a row differs: `pool.kind=max`, `no optimizer.momentum`."""
        return unusual_settings(row.group.common, self.usual)


def compare_runs(
    runs: Mapping[Run, str | None],
    metric: str | None = None,
    by: str | None = None,
    control: str | None = None,
    warn: Callable[[str], object] = warnings.warn,
) -> Comparison:
    """Rank runs and measure each group's difference to the one called `control`.

    Args:
        runs: with what a sweep calls their specs, if one does; those without a result are counted.
        metric: as for `rank_runs`.
        by: as for `rank_runs`.
        control: by default `baseline`, where there is such a group.
        warn: is told of runs that are left out, for they cannot be read.

    Raises:
        NotFoundError: none of the runs has finished.
        UsageError: no run measured `metric`, no spec has the key `by`, no group is `control`.

    """
    if not any(run.is_finished for run in runs):
        there = ", ".join(
            f"{run.path.name} has no result: it is {run.status.state}" for run in runs
        )
        raise NotFoundError(there or "no finished run to compare")
    ranking = rank_runs(read_runs(runs, warn), metric, by)
    found = next((group for group in ranking.groups if group.name == (control or CONTROL)), None)
    if control and not found:
        there = ", ".join(sorted(group.name for group in ranking.groups))
        raise UsageError(f"--control {control}: no such group (there are {there})")
    return compare_with(found, ranking) if found else ranking


def rank_runs(
    runs: Sequence[ComparedRun], metric: str | None = None, by: str | None = None
) -> Comparison:
    """Rank `runs`, the oldest first, grouped over seeds or by the values of the key `by`.

    Finished runs that did not measure `metric`, by default an accuracy, are left out. Those without
    a result are counted in their group.

    Raises:
        UsageError: no run measured `metric`, or no spec has the key `by`.

    """
    finished = [run for run in runs if not run.lost]
    metric = metric or ranking_metric(finished)
    measured = [run for run in runs if run.lost or isfinite(run.last.get(metric, nan))]
    if all(run.lost for run in measured):
        allowed = ", ".join(sorted({key for run in finished for key in run.last}))
        raise UsageError(f"--metric {metric}: no run has it (there are {allowed})")
    groups = group_runs(measured, by)
    rows = [_row(group, metric) for group in groups if group.runs]
    sign = 1 if lowest_is_best(metric) else -1
    rows.sort(key=lambda row: (sign * row.score.mean, row.group.name))
    return Comparison(metric, rows, by, unranked=[group for group in groups if not group.runs])


def ranking_metric(finished: Sequence[ComparedRun]) -> str:
    """Return what ranks where no metric is asked for."""
    validated = all(run.is_validated for run in finished)
    return VALIDATION_ACCURACY if validated else TEST_ACCURACY


def compare_with(control: Group, ranking: Comparison) -> Comparison:
    """Return the ranking with each row's difference to `control`, one of its groups."""
    metric, others = ranking.metric, [row for row in ranking.rows if row.group is not control]
    theirs = control.sample(metric)
    samples = [row.group.sample(metric) for row in others]
    found = {}
    for row, sample, gap in zip(
        others, samples, judge(samples, theirs, lowest=lowest_is_best(metric)), strict=True
    ):
        effect = None if gap.low is None else effect_size(sample.values, theirs.values)
        found[row] = replace(row, difference=gap, effect=effect)
    rows = [found.get(row, row) for row in ranking.rows]
    return replace(ranking, rows=rows, control=control)


def _row(group: Group, metric: str) -> Row:
    runs = group.runs.values()
    return Row(
        group,
        score=Summary.of([run.scores[metric] for run in runs]),
        last=Summary.of([run.last[metric] for run in runs]),
        best=Summary.of([run.best[metric] for run in runs]),
    )
