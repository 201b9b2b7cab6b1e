"""Runs as a comparison sees them, grouped over seeds."""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import isfinite, nan

from lenetctl import specs
from lenetctl.analysis.exact import Share
from lenetctl.analysis.statistics import Summary
from lenetctl.analysis.verdicts import Sample
from lenetctl.errors import LenetctlError, UsageError
from lenetctl.runs.folder import Run
from lenetctl.specs.differences import common_values, keys_between, settings
from lenetctl.specs.identity import Value
from lenetctl.training.metrics import (
    GUESSING,
    GUESSING_ACCURACY,
    TRAIN_ACCURACY,
    TRAIN_LOSS,
    VALIDATION_ACCURACY,
)

Items = frozenset[tuple[str, Value]]

SEED = "training.seed"
USER = "user"


@dataclass(frozen=True, eq=False)
class ComparedRun:
    """A run that is over as a comparison sees it."""

    run: Run
    name: str  # the spec's
    identity: tuple[str, ...]  # of the spec and of the data
    keys: dict[str, Value]  # the flattened spec and the data's digest
    last: Mapping[str, float]  # metrics of the last epoch
    best: Mapping[str, float]  # of the best one, chosen by the split that was watched
    created: int = 0  # ms since 1970
    user: str = ""
    lost: str = ""  # what became of it, where it has no result

    @classmethod
    def of(cls, run: Run, name: str | None = None) -> ComparedRun:
        """Read `run` from its folder; `name`: what a sweep calls its spec."""
        record, spec, status = run.record, run.spec(), run.status
        digest = record.data.digest
        keys = specs.flatten(spec) | {"data.digest": digest[:8]}
        identity = (record.spec_sha256, digest)
        name = name or spec.name
        compared = partial(cls, run, name, identity, keys, created=record.created, user=record.user)
        if status.state == "FINISHED":
            result = run.result
            return compared(last=result.final, best=result.best)
        return compared(last={}, best={}, lost=status.outcome or status.state.lower())

    def of_a_user(self) -> ComparedRun:
        """Return it as one that only repeats runs of the same person."""
        identity = (*self.identity, self.user)
        return replace(self, identity=identity, keys=self.keys | {USER: self.user or "unknown"})

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

    @property
    def is_guessing(self) -> bool:
        """Whether it had not learned by the epoch that counts: its training loss says so.

        Of a loss that is no plain cross-entropy, its training accuracy does.
        """
        if self.keys["training.loss"] != "cross_entropy" or "training.rubbish" in self.keys:
            return self.scores.get(TRAIN_ACCURACY, 1) < GUESSING_ACCURACY
        return self.scores.get(TRAIN_LOSS, 0) > GUESSING

    @cached_property
    def epochs(self) -> list[dict[str, float]]:
        """The metrics of each epoch."""
        return self.run.epochs()


@dataclass(frozen=True, eq=False)
class Group:
    """Runs that differ in nothing but what sets them apart: the seed."""

    name: str
    runs: dict[Items, ComparedRun]  # by what sets them apart, by which two groups' runs pair
    without_result: tuple[ComparedRun, ...] = ()

    @cached_property
    def common(self) -> dict[str, Value]:
        """The keys, with their values, that are the same in every run."""
        return common_values(run.keys for run in self.all_runs)

    @property
    def all_runs(self) -> list[ComparedRun]:
        """Those with a result and those without."""
        return [*self.runs.values(), *self.without_result]

    @property
    def lost(self) -> Counter[str]:
        """What became of the runs without a result: how many failed, diverged, were pruned, …."""
        return Counter(run.lost for run in self.without_result)

    @property
    def did_not_learn(self) -> Share:
        """How many runs diverged, or guess; of those that finished or diverged."""
        diverged = self.lost["diverged"]
        guessing = sum(run.is_guessing for run in self.runs.values())
        return Share.exact(guessing + diverged, len(self.runs) + diverged)

    def sample(self, metric: str) -> Sample[Items]:
        """Return what the runs say in a comparison by `metric`."""
        told = self.did_not_learn
        is_selected = self.lost["pruned"] > 0
        return Sample(self.scores(metric), told.count, told.of, is_selected)

    def scores(self, metric: str) -> dict[Items, float]:
        """Return the `metric` of each run that has it, at the epoch that counts."""
        return {unit: run.scores[metric] for unit, run in self.runs.items() if metric in run.scores}

    def by_epoch(self, metric: str) -> dict[int, list[float]]:
        """Return the finite values of `metric` after each epoch that a run reached."""
        values: dict[int, list[float]] = {}
        for run in self.runs.values():
            for line in run.epochs:
                known = values.setdefault(int(line["epoch"]), [])
                if isfinite(value := line.get(metric, nan)):
                    known.append(value)
        return dict(sorted(values.items()))

    def summary(self, metric: str) -> Summary | None:
        """Return mean and spread of the scores; None where a run has none."""
        scores = self.scores(metric)
        return Summary.of([*scores.values()]) if len(scores) == len(self.runs) else None


def read_runs(
    names: Mapping[Run, str | None], warn: Callable[[str], object] = warnings.warn
) -> list[ComparedRun]:
    """Read runs, the oldest first, with what a sweep calls their specs, if one does.

    Where they are of several people, whose they are sets them apart as a key of the spec does.
    One that cannot be read, as a spec with a later version's key, is left out and `warn` told.

    Raises:
        LenetctlError: none can be read.

    """
    runs, errors = [], []
    for run, name in names.items():
        try:
            runs.append(ComparedRun.of(run, name))
        except LenetctlError as error:
            errors.append(error)
            warn(f"skipped: {str(error).splitlines()[0]}")
    if errors and not runs:
        raise errors[-1]
    if len({one.user for one in runs} - {""}) > 1:
        runs = [one.of_a_user() for one in runs]
    return sorted(runs, key=lambda one: (one.created, one.run.path.name))


def group_runs(runs: Sequence[ComparedRun], by: str | None = None) -> list[Group]:
    """Group `runs`, the oldest first, over seeds, or by the value of one key of the spec.

    Of several runs of one experiment on the same data the newest counts, and before all others
    one with a result.

    Raises:
        UsageError: no spec has the key `by`.

    """
    keys = sorted({key for run in runs for key in run.keys})
    if by is not None and by not in keys:
        raise UsageError(f"--group-by {by}: no spec has this key (there are {', '.join(keys)})")
    members: dict[Items, dict[Items, ComparedRun]] = {}
    finished_last = sorted(runs, key=lambda run: not run.lost)
    for run in {run.identity: run for run in finished_last}.values():
        key, items = by or SEED, frozenset(run.keys.items())
        of_key = items & {(key, run.keys.get(key, ""))}
        own, apart = (of_key, items - of_key) if by else (items - of_key, of_key)
        members.setdefault(own, {})[apart] = run
    if by is not None:
        return [_group(str(dict(own).get(by, "unset")), same) for own, same in members.items()]
    return _with_distinct_names(
        [_group([*same.values()][-1].name, same) for same in members.values()]
    )


def differing_keys(groups: Sequence[Group]) -> list[str]:
    """Return the keys, but for the seed, that set groups apart and do not vary within any."""
    flat = [[run.keys for run in group.all_runs] for group in groups]
    return [key for key in keys_between(flat) if key != SEED]


def _group(name: str, members: dict[Items, ComparedRun]) -> Group:
    finished = {unit: run for unit, run in members.items() if not run.lost}
    return Group(name, finished, tuple(run for run in members.values() if run.lost))


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
