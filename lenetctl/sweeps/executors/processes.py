"""Trials side by side, each in a worker process with its share of devices and threads."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lenetctl.sweeps.events import Listener
from lenetctl.sweeps.executors.base import ExecutorSettings
from lenetctl.sweeps.executors.devices import shared_devices
from lenetctl.sweeps.executors.workers import run_in_workers
from lenetctl.sweeps.trial import Trial


@dataclass(frozen=True)
class ProcessExecutor:
    """Runs `jobs` trials at a time on each device, else one for each CPU in all.

    A trial whose process dies is tried again once.
    """

    settings: ExecutorSettings

    def run(self, trials: Iterable[Trial], listener: Listener) -> None:
        """Run the trials."""
        options, jobs = self.settings.options, self.settings.jobs
        devices = shared_devices(options.device)
        workers = jobs * len(devices) if jobs else max(os.cpu_count() or 1, len(devices))
        each = [
            self.settings.within(replace(options, device=devices[worker % len(devices)]))
            for worker in range(workers)
        ]
        batches = ([trial] for trial in trials)
        run_in_workers("serial", batches, each, listener)
