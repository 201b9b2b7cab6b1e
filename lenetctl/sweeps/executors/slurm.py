"""Trials in jobs of a Slurm cluster, which submitit submits.

A job is a worker that runs one trial after another, as a worker process of this machine does: a
trial of seconds is not worth a place in the queue. All nodes see the same files.
"""

from __future__ import annotations

import logging
import re
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from functools import partial
from io import StringIO
from multiprocessing.connection import wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import submitit
from pydantic_core import to_json
from submitit.core.utils import FailedJobError

from lenetctl.errors import ResourceError, UsageError
from lenetctl.sweeps.events import Draw, Listener
from lenetctl.sweeps.executors.base import Batch, ExecutorSettings, RetryQueue
from lenetctl.sweeps.executors.remote import Door, Invitation, JsonConnection, work
from lenetctl.sweeps.executors.workers import Worker
from lenetctl.sweeps.trial import Trial

LOOK = 1.0  # seconds between two looks at jobs that have not begun
GRACE = 10.0  # seconds that workers have to write their status down
MINUTES = 60  # of a job, unless an option says otherwise
logging.getLogger("submitit").setLevel(logging.CRITICAL)  # errors are told in one line
CLUSTERS: dict[str, Any] = {"slurm": submitit.SlurmExecutor, "local": submitit.LocalExecutor}


@dataclass(frozen=True)
class SlurmExecutor:
    """Runs trials in `jobs` Slurm jobs at a time.

    A trial whose job ends before it goes on in another one.
    """

    settings: ExecutorSettings

    def run(self, trials: Iterable[Trial], listener: Listener) -> None:
        """Run the trials.

        Raises:
            UsageError: there is no Slurm here, or it refuses a job.
            ResourceError: as many jobs as there may be at a time ended before they began.

        """
        if not self.settings.jobs:
            raise UsageError("--executor slurm: say how many Slurm jobs at a time: --jobs N")
        queue = RetryQueue([trial] for trial in trials)
        with Door() as door, _jobs(self.settings, door) as jobs:
            waiting: deque[Batch] = deque()  # for a job to begin
            while True:
                while len(waiting) < jobs.room and (batch := queue.take()):
                    waiting.append(batch)
                jobs.submit(min(len(waiting), jobs.room) - len(jobs.submitted))
                if not waiting and not jobs.workers:
                    return
                for ready in _ready([door, *jobs.workers], LOOK if jobs.submitted else None):
                    worker = jobs.let_in(door) if ready is door else jobs.workers[ready]
                    if worker and ready is not door and not _hear(worker, listener):
                        jobs.part_with(worker)
                        for event in queue.put_back(worker.trials, worker.runs, "its job ended"):
                            listener(event)
                    elif worker and not worker.trials:
                        following = waiting.popleft() if waiting else queue.take()
                        if following:
                            worker.give(following)
                        else:
                            jobs.part_with(worker)
                jobs.look()


def _ready(ones: list[Any], seconds: float | None) -> list[Any]:
    return wait(ones, seconds)  # of anything with a `fileno`, which its types do not say


def _hear(worker: Worker, listener: Listener) -> bool:
    """Pass an event of a worker on; return whether the worker goes on."""
    trials = worker.trials
    event = worker.receive()
    if event is None:
        return False
    if event.kind == "killed":  # by Slurm, at its time limit or for another's job
        worker.trials = trials
        return False
    decision = listener(event)
    if event.kind == "epoch_end":
        worker.answer(decision)
    return True


class _Jobs:
    """The jobs of a sweep: those that have not begun, and the workers that the others are."""

    def __init__(self, cluster: Any, job: Callable[[], None], at_once: int) -> None:
        self._cluster, self._job, self._at_once = cluster, job, at_once
        self.submitted: dict[str, Any] = {}  # by the job's number
        self.workers: dict[JsonConnection, Worker] = {}
        self._begun: dict[str, Any] = {}
        self._looked = time.monotonic()
        self._stillborn: list[Any] = []  # ended before they began

    @property
    def room(self) -> int:
        """How many more workers there may be; jobs that cannot begin are not tried for ever."""
        return max(0, self._at_once - len(self.workers) - len(self._stillborn))

    def submit(self, count: int) -> None:
        """Submit so many jobs, as one array.

        Raises:
            UsageError: Slurm refuses them.

        """
        if count <= 0:
            return
        try:
            with redirect_stderr(StringIO()):  # submitit prints what its error says
                jobs = self._cluster.submit_array([self._job] * count)
        except (FailedJobError, OSError) as error:
            said = str(error).strip().splitlines()[0]
            raise UsageError(f"--executor slurm: {said}") from None
        self.submitted |= {job.job_id: job for job in jobs}

    def let_in(self, door: Door) -> Worker | None:
        """Return the worker that knocks; None for a stranger, and where there is no room."""
        if not (arrived := door.let_in()):
            return None
        connection, number = arrived
        if job := self.submitted.pop(number, None):
            self._begun[number] = job
        elif not self.room:  # Slurm has started one again that was replaced
            connection.close()
            return None
        self.workers[connection] = Worker(connection)
        return self.workers[connection]

    def part_with(self, worker: Worker) -> None:
        """Count a worker no more; where it is still there, it ends."""
        worker.connection.close()
        del self.workers[worker.connection]

    def look(self) -> None:
        """See now and then which jobs ended before they began.

        Raises:
            ResourceError: so many that none is left.

        """
        if time.monotonic() < self._looked + LOOK:
            return
        self._looked = time.monotonic()
        for number, job in list(self.submitted.items()):
            if job.done():
                self._stillborn.append(self.submitted.pop(number))
        if self._stillborn and not (self.workers or self.submitted or self.room):
            said = (self._stillborn[-1].stderr() or "without a word").strip().splitlines()[-1]
            raise ResourceError(f"--executor slurm: jobs ended before they began: {said}")

    def stop(self) -> None:
        """Cancel what has not ended; workers have a moment to write their status down."""
        for job in [*self.submitted.values(), *(self._begun.values() if self.workers else ())]:
            job.cancel(check=False)
        deadline = time.monotonic() + GRACE
        while self.workers and (left := deadline - time.monotonic()) > 0:
            for connection in _ready([*self.workers], left):
                if self.workers[connection].receive() is None:
                    self.part_with(self.workers[connection])
        while not all(job.done() for job in self._begun.values()) and time.monotonic() < deadline:
            time.sleep(0.1)


@contextmanager
def _jobs(settings: ExecutorSettings, door: Door) -> Iterator[_Jobs]:
    """Yield the jobs of a sweep, none of which is left afterwards.

    submitit's files lie beside the runs meanwhile, in a folder that only the user may enter: a job
    reads back a pickle that the driver wrote there, of the names of functions and a file.
    """
    chosen = {"job_name": "lenetctl", "cpus_per_task": 1, **settings.extra}
    cluster, host = chosen.pop("cluster", "slurm"), chosen.pop("host", socket.getfqdn())
    threads, options = chosen["cpus_per_task"], settings.options.absolute()
    chosen["time" if cluster == "slurm" else "timeout_min"] = chosen.pop("time", MINUTES)
    if cluster not in CLUSTERS:
        raise UsageError(f"--executor slurm: cluster={cluster}: {' or '.join(CLUSTERS)}")
    with TemporaryDirectory(dir=options.root, prefix=".slurm-", ignore_cleanup_errors=True) as path:
        file = Path(path) / "invitation.json"
        try:
            key, port, force = door.key, door.port, settings.force
            invitation = Invitation(str(host), port, key, options, int(threads), force)
            submitter = CLUSTERS[cluster](Path(path))
            # Slurm 22.05 and later do not hand it on to srun
            chosen["srun_args"] = [f"--cpus-per-task={threads}", *chosen.get("srun_args", ())]
            submitter.update_parameters(**chosen)
        except (ValueError, RuntimeError) as error:
            said = re.sub(r" \(default: .*\)", "", str(error))  # of each option that there is
            raise UsageError(f"--executor slurm: {' '.join(said.split())}") from None
        file.write_bytes(to_json(invitation))
        jobs = _Jobs(submitter, partial(_work, str(file), settings.draw), settings.jobs or 1)
        try:
            yield jobs
        finally:
            jobs.stop()


def _work(invitation: str, draw: Draw | None) -> None:
    """Be a worker: what a job runs."""
    work(Path(invitation), submitit.JobEnvironment().job_id, draw)
