"""A search under way: Optuna says what to try next and learns from what became of it.

The study is in a database of its own, so that the same command goes on where it was stopped.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import optuna
from optuna.trial import BaseTrial, TrialState

from lenetctl.errors import SpecError
from lenetctl.runs.folder import Run
from lenetctl.sweeps.events import Decision, EventKind, TrialEvent
from lenetctl.sweeps.search import PrunerName, SamplerName
from lenetctl.sweeps.search.database import (
    DATABASE_ERRORS,
    ENDED,
    Database,
    held,
    open_database,
    told,
)
from lenetctl.sweeps.search.definition import Search
from lenetctl.sweeps.trial import Trial
from lenetctl.training.metrics import VALIDATION_ACCURACY

DONE: tuple[EventKind, ...] = ("finished", "skipped")
QUIET = 5  # trials, and then epochs of each, before the median rule may end one


@dataclass(eq=False)
class _Asked:
    """Values under trial: the trials of the study that have them, and the runs they take."""

    trials: list[optuna.Trial]
    runs: dict[str, Trial]  # by identity
    ended: dict[str, EventKind] = field(default_factory=dict)  # those of `runs` that have
    accuracies: list[float] = field(default_factory=list)


class Study:
    """The trials of a search as they are asked for; hears what becomes of their runs."""

    def __init__(self, search: Search, study: optuna.Study) -> None:
        """Take up `study`; what its last process left half done is asked for first."""
        self.search, self.optuna = search, study
        self._running: dict[str, _Asked] = {}  # by the identity of each run
        self._values: dict[str, float] = {}  # by the identity of a trial's first run
        self._untold: list[tuple[optuna.Trial, str, float | None]] = []  # how trials ended
        for left in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            study.enqueue_trial(left.params)
            study.tell(left.number, state=TrialState.FAIL)

    @property
    def left(self) -> int:
        """How many trials may still be asked for."""
        trials = self.optuna.get_trials(deepcopy=False)
        return max(0, self.search.trials - sum(ENDED in trial.user_attrs for trial in trials))

    @property
    def best(self) -> dict[str, Any] | None:
        """The values with the highest validation accuracy so far, a mean over seeds."""
        finished = self.optuna.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return self._suggested(self.optuna.best_trial) if finished else None

    @property
    def accuracies(self) -> list[tuple[Trial, float]]:
        """The first run of each trial that has a result, and the trial's accuracy."""
        finished = self.optuna.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        pairs = ((self.search.trial(self._suggested(one)), one.value) for one in finished)
        return [(trial, value) for trial, value in pairs if value is not None]

    def __iter__(self) -> Iterator[Trial]:
        """Yield each run that is to be made, until there were as many trials as there may be."""
        for _ in range(self.left):
            yield from self._ask()

    def batches(self, size: int) -> Iterator[list[Trial]]:
        """Yield the runs of so many trials at a time; the next ones once all of these have ended.

        What a batch teaches the sampler counts for the next one only.
        """
        while before := self.left:
            yield [run for _ in range(min(size, before)) for run in self._ask()]
            if self.left == before:
                return

    def _ask(self) -> list[Trial]:
        """Return the runs of the next trial: none where it is known, under way or impossible."""
        asked = self.optuna.ask()
        try:
            runs = self.search.runs(self._suggested(asked))
        except SpecError as error:  # each value fits, but not these together
            self._end(asked, f"no possible net: {error}")
            return []
        key = runs[0].sha256
        if key in self._values:
            self._end(asked, "known", self._values[key])
            return []
        if key in self._running:
            self._running[key].trials.append(asked)
            return []
        trial = _Asked([asked], {run.sha256: run for run in runs})
        self._running |= dict.fromkeys(trial.runs, trial)
        return runs

    def on_event(self, event: TrialEvent) -> Decision:
        """Learn from what happens to a run; decide whether it is to be pruned."""
        try:
            return self._learn(event)
        except DATABASE_ERRORS:  # no reason for a run to fail: what is untold is told later
            return Decision.CONTINUE

    def _learn(self, event: TrialEvent) -> Decision:
        trial = self._running.get(event.sha256)
        if trial is None:  # not one of the search
            return Decision.CONTINUE
        if event.kind == "epoch_end" and event.run and self._hopeless(trial, event.run):
            return Decision.PRUNE
        # one that was killed is tried again, now or by the next command
        if not event.ends_trial or event.kind == "killed":
            return Decision.CONTINUE
        trial.ended[event.sha256] = event.kind
        if event.run and event.kind in DONE:
            trial.accuracies.append(event.run.result.best[VALIDATION_ACCURACY])
        if trial.ended.keys() == trial.runs.keys():
            self._conclude(trial)
        return Decision.CONTINUE

    def _conclude(self, trial: _Asked) -> None:
        """Tell the study the mean over the seeds; without one of them there is none."""
        first, *_ = trial.runs
        lost = next((kind for kind in trial.ended.values() if kind not in DONE), None)
        if not lost:
            self._values[first] = fmean(trial.accuracies)
        for sha256 in trial.runs:
            del self._running[sha256]
        for same in trial.trials:
            self._untold.append((same, lost or trial.ended[first], self._values.get(first)))
        self.tell()

    def _hopeless(self, trial: _Asked, run: Run) -> bool:
        asked, (planned, *_) = trial.trials[0], trial.runs.values()
        epochs = run.epochs()
        with warnings.catch_warnings(action="ignore"):  # an epoch may be told again
            for line in epochs:
                asked.report(line[VALIDATION_ACCURACY], int(line["epoch"]))
        return len(epochs) < planned.spec.training.epochs and asked.should_prune()

    def _suggested(self, trial: BaseTrial) -> dict[str, Any]:
        return {choice.key: choice.suggest(trial) for choice in self.search.space}

    def _end(self, asked: optuna.Trial, how: str, value: float | None = None) -> None:
        self._untold.append((asked, how, value))
        self.tell()

    def tell(self) -> None:
        """Tell the database of the trials that have ended, as far as it does not know."""
        while self._untold:
            asked, how, value = self._untold[0]
            asked.set_user_attr(ENDED, how)
            state = TrialState.PRUNED if how == "pruned" else TrialState.FAIL
            self.optuna.tell(asked, value, TrialState.COMPLETE if value is not None else state)
            del self._untold[0]


@contextmanager
def open_study(
    search: Search, database: Database, sampler: SamplerName, pruner: PrunerName
) -> Iterator[Study]:
    """Yield the study of `search`, held by this process for as long as the context lasts.

    Raises:
        BusyError: another process is at it.
        LenetctlError: the database is damaged, or locked for too long.

    """
    try:
        with held(database, search.identity):
            study = optuna.create_study(
                storage=open_database(database),
                study_name=search.identity,
                direction="maximize",
                load_if_exists=True,
            )
            study.sampler = _sampler(sampler, seed=len(study.get_trials(deepcopy=False)))
            study.pruner = _pruner(pruner, search.trial({}).spec.training.epochs)
            begun = Study(search, study)
            yield begun
            begun.tell()
    except DATABASE_ERRORS as error:
        raise told(error, database) from error


def _sampler(name: SamplerName, seed: int) -> optuna.samplers.BaseSampler:
    if name == SamplerName.random:
        return optuna.samplers.RandomSampler(seed)
    # trials that are running count as poor ones, so that workers do not all try the same
    return optuna.samplers.TPESampler(seed=seed, constant_liar=True)


def _pruner(name: PrunerName, epochs: int) -> optuna.pruners.BasePruner:
    if name == PrunerName.median:
        return optuna.pruners.MedianPruner(n_startup_trials=QUIET, n_warmup_steps=QUIET)
    if name == PrunerName.hyperband:  # Li et al., JMLR 18, 2018
        return optuna.pruners.HyperbandPruner(min_resource=1, max_resource=epochs)
    return optuna.pruners.NopPruner()
