"""One trial of a sweep: skipped where it is done, gone on with where it was stopped, or run."""

from __future__ import annotations

import time
from dataclasses import replace

from lenetctl.errors import BusyError
from lenetctl.runs.options import RunOptions
from lenetctl.sweeps.claims import claimed
from lenetctl.sweeps.events import Draw, Listener, TrialReporter
from lenetctl.sweeps.trial import Trial, finished_run, unfinished_run

BUSY_PAUSE = 0.5  # seconds between two looks at a run that `lenetctl train` is busy with


def run_trial(
    trial: Trial,
    options: RunOptions,
    listener: Listener,
    *,
    force: bool = False,
    draw: Draw | None = None,
) -> None:
    """Do `trial` in this process, unless it is done.

    An error is reported and ends the trial alone. An interrupt is reported and raised. If another
    sweep is at the same trial, this one waits for it: nothing is trained twice.
    """
    from lenetctl.runs.execute import execute  # noqa: PLC0415  torch: not to plan a sweep

    reporter = TrialReporter(trial, listener, draw)
    own = replace(options, command=trial.command)
    with reporter.errors_reported(), claimed(options.root, trial):
        while True:
            if not force and (done := finished_run(trial, options)):
                reporter.report("skipped", done)
                return
            try:
                run = execute(trial.spec, own, reporter, unfinished_run(trial, options))
            except BusyError:
                time.sleep(BUSY_PAUSE)
            else:
                reporter.report("finished", run)
                return
