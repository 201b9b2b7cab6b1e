"""A search under way: Optuna says what to try next and learns from what became of it.

The study is in a database of its own, so that the same command goes on where it was stopped.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from filelock import FileLock, Timeout
from optuna.trial import TrialState

from lenetctl.errors import BusyError, SpecError
from lenetctl.runs.folder import Run
from lenetctl.sweeps.events import Decision, TrialEvent
from lenetctl.sweeps.search import PrunerName, SamplerName
from lenetctl.sweeps.search.definition import Search
from lenetctl.sweeps.trial import Trial
from lenetctl.training.metrics import VALIDATION_ACCURACY

ENDED = "lenetctl.ended"  # attribute of the study's trials that count, and how they ended
QUIET = 5  # trials, and then epochs of each, before the median rule may end one


class Study:
    """The trials of a search as they are asked for; hears what becomes of them."""

    def __init__(self, search: Search, study: optuna.Study) -> None:
        """Take up `study`; what its last process left half done is asked for first."""
        self._search, self._study = search, study
        self._running: dict[str, tuple[Trial, list[optuna.Trial]]] = {}  # by identity
        self._values: dict[str, float] = {}  # by identity
        for left in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            study.enqueue_trial(left.params)
            study.tell(left.number, state=TrialState.FAIL)

    @property
    def left(self) -> int:
        """How many trials may still be asked for."""
        trials = self._study.get_trials(deepcopy=False)
        return max(0, self._search.trials - sum(ENDED in trial.user_attrs for trial in trials))

    @property
    def best(self) -> Trial | None:
        """The trial with the highest validation accuracy so far."""
        finished = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if not finished:
            return None
        best = self._study.best_trial
        values = {choice.key: choice.suggest(best) for choice in self._search.space}
        return self._search.trial(values)

    def __iter__(self) -> Iterator[Trial]:
        """Yield each trial that is to be run, until there were as many as the search may have."""
        for _ in range(self.left):
            asked = self._study.ask()
            values = {choice.key: choice.suggest(asked) for choice in self._search.space}
            try:
                trial = self._search.trial(values)
            except SpecError as error:  # each value fits, but not these together
                self._end(asked, f"no possible net: {error}")
                continue
            if trial.sha256 in self._values:
                self._end(asked, "known", self._values[trial.sha256])
                continue
            _, same = self._running.setdefault(trial.sha256, (trial, []))
            same.append(asked)
            if same == [asked]:
                yield trial

    def on_event(self, event: TrialEvent) -> Decision:
        """Learn from what happens to a trial; decide whether it is to be pruned."""
        trial, asked = self._running[event.sha256]
        if event.kind == "epoch_end" and event.run and self._hopeless(asked[0], event.run, trial):
            return Decision.PRUNE
        # one that was killed is tried again, now or by the next command
        if not event.ends_trial or event.kind == "killed":
            return Decision.CONTINUE
        if event.run and event.kind in ("finished", "skipped"):
            self._values[event.sha256] = event.run.result.best[VALIDATION_ACCURACY]
        for same in asked:
            self._end(same, event.kind, self._values.get(event.sha256))
        del self._running[event.sha256]
        return Decision.CONTINUE

    def _hopeless(self, asked: optuna.Trial, run: Run, trial: Trial) -> bool:
        epochs = run.epochs()
        with warnings.catch_warnings(action="ignore"):  # an epoch may be told again
            for line in epochs:
                asked.report(line[VALIDATION_ACCURACY], int(line["epoch"]))
        return len(epochs) < trial.spec.training.epochs and asked.should_prune()

    def _end(self, asked: optuna.Trial, how: str, value: float | None = None) -> None:
        asked.set_user_attr(ENDED, how)
        state = TrialState.PRUNED if how == "pruned" else TrialState.FAIL
        self._study.tell(asked, value, TrialState.COMPLETE if value is not None else state)


@contextmanager
def open_study(
    search: Search, database: Path, sampler: SamplerName, pruner: PrunerName
) -> Iterator[Study]:
    """Yield the study of `search`, held by this process for as long as the context lasts.

    Raises:
        BusyError: another process is at it.

    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    lock = FileLock(database.with_name(f".{search.identity}.lock"))
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise BusyError(f"{search.name}: another process is at this search") from None
    try:
        with FileLock(database.with_name(f"{database.name}.lock")):  # two would make its schema
            storage = optuna.storages.RDBStorage(f"sqlite:///{database}")
        study = optuna.create_study(
            storage=storage,
            study_name=search.identity,
            direction="maximize",
            load_if_exists=True,
        )
        study.sampler = _sampler(sampler, seed=len(study.get_trials(deepcopy=False)))
        study.pruner = _pruner(pruner, search.trial({}).spec.training.epochs)
        yield Study(search, study)
    finally:
        lock.release()


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
