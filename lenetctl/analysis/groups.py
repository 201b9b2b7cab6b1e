"""Finished runs as a comparison sees them, grouped over seeds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from lenetctl import specs
from lenetctl.analysis.statistics import Summary
from lenetctl.errors import UsageError
from lenetctl.runs.folder import Run
from lenetctl.runs.store import oldest_first
from lenetctl.specs.differences import common_values, keys_between, settings
from lenetctl.specs.identity import Value
from lenetctl.training.metrics import VALIDATION_ACCURACY

Items = frozenset[tuple[str, Value]]

SEED = "training.seed"


@dataclass(frozen=True, eq=False)
class ComparedRun:
    """A finished run as a comparison sees it."""

    run: Run
    name: str  # the spec's
    identity: tuple[str, str]  # of the spec and of the data
    keys: dict[str, Value]  # the flattened spec and the data's digest
    last: Mapping[str, float]  # metrics of the last epoch
    best: Mapping[str, float]  # of the best one, chosen by the split that was watched

    @classmethod
    def of(cls, run: Run, name: str | None = None) -> ComparedRun:
        """Read `run` from its folder; `name`: what a sweep calls its spec."""
        record, result, spec = run.record, run.result, run.spec()
        digest = record.data.digest
        keys = specs.flatten(spec) | {"data.digest": digest[:8]}
        identity = (record.spec_sha256, digest)
        return cls(run, name or spec.name, identity, keys, result.final, result.best)

    @property
    def is_validated(self) -> bool:
        """Whether images were held out, by which the best epoch was chosen."""
        return VALIDATION_ACCURACY in self.best

    @property
    def scores(self) -> Mapping[str, float]:
        """The metrics of the epoch that counts: the best where validation chose it, else the last.

        Its weights are those that the test set was read with at the end.
        """
        return self.best if self.is_validated else self.last

    @cached_property
    def epochs(self) -> list[dict[str, float]]:
        """The metrics of each epoch."""
        return self.run.epochs()


@dataclass(frozen=True, eq=False)
class Group:
    """Runs that differ in nothing but what sets them apart: the seed."""

    name: str
    runs: dict[Items, ComparedRun]  # by what sets them apart, by which two groups' runs pair

    @cached_property
    def common(self) -> dict[str, Value]:
        """The keys, with their values, that are the same in every run."""
        return common_values(run.keys for run in self.runs.values())

    def scores(self, metric: str) -> dict[Items, float]:
        """Return the `metric` of each run that has it, at the epoch that counts."""
        return {unit: run.scores[metric] for unit, run in self.runs.items() if metric in run.scores}

    def summary(self, metric: str) -> Summary | None:
        """Return mean and spread of the scores; None where a run has none."""
        scores = self.scores(metric)
        return Summary.of([*scores.values()]) if len(scores) == len(self.runs) else None


def read_runs(names: Mapping[Run, str | None]) -> list[ComparedRun]:
    """Read finished runs, the oldest first, with what a sweep calls their specs, if one does."""
    return [ComparedRun.of(run, names[run]) for run in oldest_first(names)]


def group_runs(runs: Sequence[ComparedRun], by: str | None = None) -> list[Group]:
    """Group `runs`, the oldest first, over seeds, or by the value of one key of the spec.

    Of several runs of one experiment on the same data the newest counts.

    Raises:
        UsageError: no spec has the key `by`.

    """
    keys = sorted({key for run in runs for key in run.keys})
    if by is not None and by not in keys:
        raise UsageError(f"--group-by {by}: no spec has this key (there are {', '.join(keys)})")
    members: dict[Items, dict[Items, ComparedRun]] = {}
    for run in {run.identity: run for run in runs}.values():
        items = frozenset(run.keys.items())
        own = frozenset(item for item in items if (item[0] == by if by else item[0] != SEED))
        members.setdefault(own, {})[items - own] = run
    if by is not None:
        return [Group(str(dict(own).get(by, "unset")), same) for own, same in members.items()]
    return _with_distinct_names(
        [Group([*same.values()][-1].name, same) for same in members.values()]
    )


def differing_keys(groups: Sequence[Group]) -> list[str]:
    """Return the keys, but for the seed, that set groups apart and do not vary within any."""
    flat = [[run.keys for run in group.runs.values()] for group in groups]
    return [key for key in keys_between(flat) if key != SEED]


def _with_distinct_names(groups: Sequence[Group]) -> list[Group]:
    """Return the groups, those that share a name with the values that differ added to it."""
    namesakes = defaultdict(list)
    for group in groups:
        namesakes[group.name].append(group)
    keys = {name: differing_keys(same) for name, same in namesakes.items()}
    renamed = []
    for group in groups:
        own = settings(group.common, keys[group.name])
        renamed.append(replace(group, name=f"{group.name} ({', '.join(own)})") if own else group)
    return renamed
