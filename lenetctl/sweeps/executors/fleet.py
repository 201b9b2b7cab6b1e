"""An executor of a sweep that trains trials together where they can share a fleet."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from math import ceil

from lenetctl.errors import BusyError, DivergedError, ResourceError
from lenetctl.runs.epochs import save_epoch
from lenetctl.runs.execute import RunContext, under_way
from lenetctl.runs.options import RunOptions
from lenetctl.sweeps.plan import Trial
from lenetctl.sweeps.trial import Tell, Teller, TrialEvent, begun, claimed, done, run_trial
from lenetctl.training import device
from lenetctl.training.fleet.key import fleet_key, fleet_refusal
from lenetctl.training.fleet.loop import EpochOutcome, train_fleet
from lenetctl.training.loop import is_over
from lenetctl.training.state import TrainingState

SIZE = 256  # models of a fleet, at most


def fleet(
    trials: Iterable[Trial],
    options: RunOptions,
    tell: Tell,
    size: int = SIZE,
    *,
    force: bool = False,
) -> None:
    """Train trials of a kind together, at most `size` at a time, and the rest one after another.

    The rest are those without another of their kind, those that another process is at, and those
    that no fleet can train.
    """
    rest: list[Trial] = []
    for group in grouped(trials, size):
        rest += group if len(group) == 1 else _together(group, options, tell, force=force)
    for trial in rest:
        if refusal := fleet_refusal(trial.spec):
            tell(TrialEvent(trial.sha256, "running", message=f"not in a fleet: {refusal}"))
        run_trial(trial, options, tell, force=force)


def grouped(trials: Iterable[Trial], size: int) -> Iterator[list[Trial]]:
    """Yield the trials in groups that can share a fleet, none larger than `size`.

    A trial that no fleet can train is a group of its own.
    """
    kinds: dict[str, list[Trial]] = {}
    for trial in trials:
        kind = trial.sha256 if fleet_refusal(trial.spec) else fleet_key(trial.spec)
        kinds.setdefault(kind, []).append(trial)
    for alike in kinds.values():
        fleets = ceil(len(alike) / size)
        each = ceil(len(alike) / fleets)
        for first in range(0, len(alike), each):
            yield alike[first : first + each]


def _together(
    trials: Sequence[Trial], options: RunOptions, tell: Tell, *, force: bool
) -> list[Trial]:
    """Train `trials` as one fleet; return those that other processes are at."""
    common = trials[0].spec
    ground = cache(partial(RunContext.of, common, options))
    busy: list[Trial] = []
    lives = [_life(trial, options, ground, tell, busy, force=force) for trial in trials]
    try:
        with device.numerics(common.training):
            states = [next(life, None) for life in lives]
            members = {n: (state, trials[n].spec) for n, state in enumerate(states) if state}
            for outcomes in train_fleet(members, ground().splits) if members else ():
                for n, outcome in outcomes.items():
                    try:
                        lives[n].send(outcome)
                    except StopIteration:
                        del members[n]
    except BaseException as error:
        for life in lives:
            _end(life, _explained(error, len(trials)))
        if not isinstance(error, Exception):
            raise
    return busy


def _life(
    trial: Trial,
    options: RunOptions,
    ground: Callable[[], RunContext],
    tell: Tell,
    busy: list[Trial],
    *,
    force: bool,
) -> Generator[TrainingState, EpochOutcome, None]:
    """Do one trial, yielding its state for each epoch and being sent what came of it."""
    told = Teller(trial, tell)
    watcher = told.watcher()
    own = replace(options, command=trial.command)
    try:
        with told.failures(), claimed(options.root, trial, wait=False):
            if earlier := None if force else done(trial, options):
                told("skipped", earlier)
                return
            beginning = begun(trial, options)
            with under_way(trial.spec, own, ground(), "fleet", watcher, beginning) as (run, state):
                while not is_over(state, trial.spec):
                    outcome = yield state
                    if isinstance(outcome, DivergedError):
                        raise outcome
                    save_epoch(
                        run, state, outcome, validated=ground().splits.validation is not None
                    )
                    watcher.epoch(run, outcome)
            told("finished", run)
    except BusyError:
        busy.append(trial)


def _explained(error: BaseException, models: int) -> BaseException:
    if not device.is_out_of_memory(error):
        return error
    message = f"out of memory: a fleet of {models} models is too large"
    return ResourceError(f"{message}; try --jobs {max(1, models // 2)}")


def _end(life: Generator[TrainingState, EpochOutcome, None], error: BaseException) -> None:
    try:
        life.throw(error)
    except StopIteration:
        pass
    except BaseException as raised:
        if raised is not error:  # a second interrupt
            raise
