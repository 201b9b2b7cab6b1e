"""Trials together, as one fleet, where they can share one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from math import ceil

from lenetctl.errors import BusyError, DivergedError, ResourceError
from lenetctl.runs.context import RunContext
from lenetctl.runs.epochs import save_epoch
from lenetctl.runs.folder import Run
from lenetctl.runs.lifecycle import open_run
from lenetctl.sweeps.claims import claimed
from lenetctl.sweeps.events import Listener, TrialReporter
from lenetctl.sweeps.executors.base import ExecutorSettings
from lenetctl.sweeps.executors.devices import shared_devices
from lenetctl.sweeps.executors.serial import SerialExecutor
from lenetctl.sweeps.executors.workers import run_in_workers
from lenetctl.sweeps.trial import Trial, finished_run, unfinished_run
from lenetctl.training.device import is_out_of_memory, numerics, select_device
from lenetctl.training.fleet.key import fleet_key, fleet_refusal
from lenetctl.training.fleet.loop import EpochOutcome, train_fleet
from lenetctl.training.loop import is_over
from lenetctl.training.state import TrainingState

SIZE = 256  # models of a fleet, at most
ON_CPU = "a fleet is for a GPU: a CPU trains its models faster one after another"


@dataclass(frozen=True)
class FleetExecutor:
    """Trains trials with the same fleet key together, `jobs` at a time at most.

    Trials without another of their key, those that another process is at, and those that no fleet
    can train are run one after another at the end. Where there are several CUDA devices, each has
    a worker process that trains fleets on it.
    """

    settings: ExecutorSettings

    def run(self, trials: Iterable[Trial], listener: Listener) -> None:
        """Run the trials."""
        if select_device(self.settings.options.device).type == "cpu":
            self.settings.warn(ON_CPU)
        devices = shared_devices(self.settings.options.device)
        groups = grouped(trials, self.settings.jobs or SIZE, len(devices))
        if len(devices) > 1:
            each = [
                self.settings.within(replace(self.settings.options, device=device))
                for device in devices
            ]
            run_in_workers("fleet", groups, each, listener)
            return
        alone: list[Trial] = []
        for group in groups:
            alone += group if len(group) == 1 else _train_together(group, self.settings, listener)
        for trial in alone:
            if refusal := fleet_refusal(trial.spec):
                TrialReporter(trial, listener).on_warning(f"not in a fleet: {refusal}")
        SerialExecutor(self.settings).run(alone, listener)


def grouped(trials: Iterable[Trial], size: int, devices: int = 1) -> Iterator[list[Trial]]:
    """Yield the trials in groups that can share a fleet, none larger than `size`.

    Trials of one key are enough groups for all `devices`, but for groups of a single trial. A trial
    that no fleet can train is a group of its own.
    """
    by_key: dict[str, list[Trial]] = {}
    for trial in trials:
        key = trial.sha256 if fleet_refusal(trial.spec) else fleet_key(trial.spec)
        by_key.setdefault(key, []).append(trial)
    for alike in by_key.values():
        fleets = max(ceil(len(alike) / size), min(devices, len(alike) // 2))
        each = ceil(len(alike) / fleets)
        for first in range(0, len(alike), each):
            yield alike[first : first + each]


def _train_together(
    trials: Sequence[Trial], settings: ExecutorSettings, listener: Listener
) -> list[Trial]:
    """Train `trials` as one fleet; return those that other processes are at."""
    common = trials[0].spec
    # loaded by the first trial that needs it, inside the block that reports its errors
    context = cache(partial(RunContext.of, common, settings.options))
    members = [_Member(trial, settings, context, listener) for trial in trials]
    try:
        with numerics(common.training):
            training = {
                n: (member.state, member.trial.spec)
                for n, member in enumerate(members)
                if member.open() and member.state
            }
            for outcomes in train_fleet(training, context().splits) if training else ():
                for n, outcome in outcomes.items():
                    if not members[n].end_epoch(outcome):
                        del training[n]
    except BaseException as error:
        cause = _with_remedy(error, len(trials))
        for member in members:
            member.abort(cause)
        if not isinstance(error, Exception):
            raise
    return [member.trial for member in members if member.is_busy]


class _Member:
    """One trial of a fleet: what a trial alone does in a `with` block, opened and left by hand.

    So each of many trials has its own claim, its own run and its own end.
    """

    def __init__(
        self,
        trial: Trial,
        settings: ExecutorSettings,
        context: Callable[[], RunContext],
        listener: Listener,
    ) -> None:
        self.trial = trial
        self.state: TrainingState | None = None
        self.is_busy = False  # another process is at the trial
        self._settings, self._context = settings, context
        self._reporter = TrialReporter(trial, listener, settings.draw)
        self._block = ExitStack()

    def open(self) -> bool:
        """Claim the trial and open its run; return whether there is something left to train."""
        try:
            self._block.enter_context(self._reporter.errors_reported())
            opened = self._block.enter_context(self._opened())
        except BaseException as error:  # noqa: BLE001  reported, or raised again
            try:
                self._leave(error)
            except BusyError:
                self.is_busy = True
            return False
        if opened:
            self._run, self.state = opened
        return self._goes_on()

    def end_epoch(self, outcome: EpochOutcome) -> bool:
        """Write an epoch down; return whether there is something left to train."""
        try:
            if isinstance(outcome, DivergedError):
                raise outcome  # noqa: TRY301  handled where all errors of a trial are
            assert self.state is not None  # noqa: S101
            validated = self._context().splits.validation is not None
            save_epoch(self._run, self.state, outcome, validated=validated)
            self._reporter.on_epoch_end(self._run, outcome)
        except BaseException as error:  # noqa: BLE001  reported, or raised again
            self._leave(error)
            return False
        return self._goes_on()

    def abort(self, error: BaseException) -> None:
        """End the trial, unless it has ended, by an error that ends the whole fleet."""
        try:
            self._leave(error)
        except BaseException as raised:
            if raised is not error:  # a second interrupt
                raise

    def _goes_on(self) -> bool:
        if self.state and not is_over(self.state, self.trial.spec):
            return True
        self._leave(None)
        return False

    def _leave(self, error: BaseException | None) -> None:
        """Leave the block as `with` does: by its end or by an error, raised unless handled."""
        block = self._block.pop_all()
        trace = error.__traceback__ if error else None
        if not block.__exit__(type(error) if error else None, error, trace) and error:
            raise error

    @contextmanager
    def _opened(self) -> Iterator[tuple[Run, TrainingState] | None]:
        """Hold the trial's claim and its run; None where the trial is done already."""
        trial, options = self.trial, self._settings.options
        with claimed(options.root, trial, wait=False):
            if not self._settings.force and (done := finished_run(trial, options)):
                self._reporter.report("skipped", done)
                yield None
                return
            own = replace(options, command=trial.command)
            earlier = unfinished_run(trial, options)
            with open_run(
                trial.spec, own, self._context(), "fleet", self._reporter, earlier
            ) as opened:
                yield opened
            self._reporter.report("finished", opened[0])


def _with_remedy(error: BaseException, models: int) -> BaseException:
    if not is_out_of_memory(error):
        return error
    message, fewer = f"a fleet of {models} models is too large", max(1, models // 2)
    return ResourceError(f"out of memory: {message}; try --jobs {fewer}, or fleet={fewer} with ray")
