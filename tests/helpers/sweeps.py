"""What the tests of executors share: how each is run, and what is heard of it."""

from dataclasses import replace

from lenetctl.sweeps.claims import make_claims_folder
from lenetctl.sweeps.events import Decision, FailedFast
from lenetctl.sweeps.executors.base import ExecutorSettings
from lenetctl.sweeps.executors.processes import ProcessExecutor
from lenetctl.sweeps.executors.serial import SerialExecutor


class EventRecorder:
    """Listens to a sweep; `act` is called with each event and may return a decision."""

    def __init__(self, act=lambda event: None):
        self.act, self.events = act, []

    def __call__(self, event):
        self.events.append(event)
        return self.act(event) or Decision.CONTINUE

    def of(self, trial):
        """Return the kinds of events of `trial` but for warnings, of equal neighbours one."""
        own = [event.kind for event in self.events if event.sha256 == trial.sha256]
        kinds = [kind for kind in own if kind != "warning"]
        return [k for before, k in zip([None, *kinds], kinds, strict=False) if k != before]


def fail_fast(event):
    if event.kind == "failed":
        raise FailedFast


def prune_second_epoch(event):
    second = event.kind == "epoch_end" and len(event.run.epochs()) == 2
    return Decision.PRUNE if second else Decision.CONTINUE


def run_of(trial, options):
    """Return the one run that there is of `trial`."""
    (run,) = options.store.of_spec(trial.sha256)
    return run


def beside_serial(trials, options):
    """Return the run of each trial, each beside the one that the serial executor makes of it."""
    alone = replace(options, root=options.root / "serial")
    make_claims_folder(alone.root)
    serial(trials, alone, EventRecorder())
    return [(run_of(trial, options), run_of(trial, alone)) for trial in trials]


def serial(trials, options, listener, *, force=False):
    SerialExecutor(ExecutorSettings(options, force=force)).run(trials, listener)


def in_processes(trials, options, listener, *, jobs=2, force=False):
    ProcessExecutor(ExecutorSettings(options, jobs, force)).run(trials, listener)
