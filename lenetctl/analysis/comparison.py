"""Finished runs side by side: grouped over seeds, each group against the control.

The best epoch is the run's own, chosen by the split it watched. Test metrics of a run with a
validation split were read once, with the best epoch's weights: its last and best values are equal.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from math import sqrt
from statistics import fmean, stdev, variance

from lenetctl import specs
from lenetctl.errors import UsageError
from lenetctl.runs.folder import Run

Value = str | int | float
Items = frozenset[tuple[str, Value]]

SEED = "training.seed"
SAME = 1e-9  # a spread below is rounding: an accuracy moves in steps of one image


@dataclass(frozen=True, eq=False)
class ComparedRun:
    """A finished run as a comparison sees it."""

    run: Run
    name: str  # the spec's
    identity: tuple[str, str]  # of the spec and of the data
    keys: dict[str, Value]  # the flattened spec and the data's digest
    last: dict[str, float]
    best: dict[str, float]

    @classmethod
    def of(cls, run: Run) -> ComparedRun:
        """Read `run` from its folder."""
        record, result, spec = run.record, run.result, run.spec()
        digest = record.data.digest
        keys = specs.flatten(spec) | {"data.digest": digest[:8]}
        identity = (record.spec_sha256, digest)
        return cls(run, spec.name, identity, keys, result.final, result.best)


@dataclass(frozen=True, eq=False)
class Group:
    """Trials that differ in nothing but what sets them apart: the seed."""

    name: str
    trials: dict[
        Items, ComparedRun
    ]  # by what sets them apart, by which they pair with another group's

    def values(self, key: str) -> set[Value | None]:
        """Return what the trials have for `key`, None for those that do not have it."""
        return {trial.keys.get(key) for trial in self.trials.values()}

    def value(self, key: str) -> Value | None:
        """Return what every trial has for `key`; None where they have several values, or none."""
        values = self.values(key)
        return values.pop() if len(values) == 1 else None


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


@dataclass(frozen=True, eq=False)
class Row:
    """A line of the comparison."""

    group: Group
    values: list[float]  # of each trial at its last epoch
    last: Summary
    best: Summary
    difference: Difference | None  # None for the control, and where there is none


def lowest_is_best(metric: str) -> bool:
    """Return whether less of `metric` is better."""
    return metric.endswith("loss")


def having(trials: Sequence[ComparedRun], metric: str) -> list[ComparedRun]:
    """Return the trials that measured `metric`.

    Raises:
        UsageError: none did.

    """
    measured = [trial for trial in trials if math.isfinite(trial.last.get(metric, math.nan))]
    if not measured:
        allowed = ", ".join(sorted({key for trial in trials for key in trial.last}))
        raise UsageError(f"--metric {metric}: no run has it (there are {allowed})")
    return measured


def group_runs(trials: Sequence[ComparedRun], by: str | None = None) -> list[Group]:
    """Group `trials`, the oldest first, over seeds, or by the value of one key of the spec.

    Of several runs of one experiment on the same data the newest counts.

    Raises:
        UsageError: no spec has the key `by`.

    """
    keys = sorted({key for trial in trials for key in trial.keys})
    if by is not None and by not in keys:
        raise UsageError(f"--group-by {by}: no spec has this key (there are {', '.join(keys)})")
    members: dict[Items, dict[Items, ComparedRun]] = {}
    for trial in {trial.identity: trial for trial in trials}.values():
        items = frozenset(trial.keys.items())
        own = frozenset(item for item in items if (item[0] == by if by else item[0] != SEED))
        members.setdefault(own, {})[items - own] = trial
    if by is not None:
        return [Group(str(dict(own).get(by, "unset")), these) for own, these in members.items()]
    return _told_apart([Group([*these.values()][-1].name, these) for these in members.values()])


def differing(groups: Sequence[Group]) -> list[str]:
    """Return the keys, but for the seed, that set groups apart and do not vary within any."""
    keys = dict.fromkeys(k for one in groups for t in one.trials.values() for k in t.keys)
    return [key for key in keys if key != SEED and _sets_apart(key, groups)]


def settings(one: Group, keys: Sequence[str]) -> list[str]:
    """Return `pool.kind=max` for each of `keys` that the group has a value of."""
    return [f"{short(key)}={value}" for key in keys if (value := one.value(key)) is not None]


def short(key: str) -> str:
    """Return `pool.kind` for `model.pool.kind`."""
    return key.removeprefix("model.").removeprefix("training.")


def compare_groups(groups: Sequence[Group], metric: str, control: Group | None = None) -> list[Row]:
    """Return a row for each group, the best mean at the last epoch first."""
    lowest = lowest_is_best(metric)
    rows = []
    for one in groups:
        last = _values(one, metric)
        best = [trial.best[metric] for trial in one.trials.values()]
        against = None
        if control is not None and one is not control:
            against = difference(last, _values(control, metric), lowest=lowest)
        values = list(last.values())
        rows.append(Row(one, values, Summary.of(values), Summary.of(best), against))
    return sorted(rows, key=lambda row: row.last.mean, reverse=not lowest)


def course(one: Group, metric: str) -> list[float]:
    """Return the group's mean of `metric` after each epoch, NaN where no run measured it."""
    runs = [[line.get(metric) for line in trial.run.epochs()] for trial in one.trials.values()]
    epochs = ([v for v in values if v is not None] for values in zip_longest(*runs))
    return [fmean(values) if values else math.nan for values in epochs]


def difference(
    values: Mapping[Items, float], control: Mapping[Items, float], *, lowest: bool
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
    parts = (square**2 / (len(one) - 1) for square, one in zip(squares, samples, strict=True))
    return float(stdtrit(total**2 / sum(parts), 0.975) * sqrt(total))


def _values(one: Group, metric: str) -> dict[Items, float]:
    return {unit: trial.last[metric] for unit, trial in one.trials.items()}


def _sets_apart(key: str, groups: Sequence[Group]) -> bool:
    values = [one.values(key) for one in groups]
    return all(len(own) == 1 for own in values) and len(set.union(*values)) > 1


def _told_apart(groups: list[Group]) -> list[Group]:
    """Return the groups, those that share a name with the values that differ added to it."""
    counts = Counter(one.name for one in groups)
    told = []
    for one in groups:
        name = one.name
        if counts[name] > 1:
            keys = differing([other for other in groups if other.name == name])
            if own := settings(one, keys):
                name = f"{name} ({', '.join(own)})"
        told.append(Group(name, one.trials))
    return told
