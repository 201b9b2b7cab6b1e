"""Trials side by side, each in a worker process with its share of the threads."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import NoReturn

from lenetctl.processes import (
    CONTEXT,
    end_with_parent,
    ignore_interrupts,
    interrupts_held,
    pipe,
)
from lenetctl.runs.folder import Run
from lenetctl.runs.options import RunOptions
from lenetctl.sweeps.events import Decision, Listener, TrialEvent
from lenetctl.sweeps.executors.base import ExecutorSettings, RetryQueue
from lenetctl.sweeps.run_trial import run_trial
from lenetctl.sweeps.trial import Trial

GRACE = 2.0  # seconds that a worker has to write its status down before it is killed


@dataclass(frozen=True)
class ProcessExecutor:
    """Runs `jobs` trials at a time, else one for each CPU.

    A trial whose process dies is tried again once.
    """

    settings: ExecutorSettings

    def run(self, trials: Iterable[Trial], listener: Listener) -> None:
        """Run the trials."""
        jobs = self.settings.jobs or os.cpu_count() or 1
        queue = RetryQueue(trials)
        workers: list[_Worker] = []
        try:
            while True:
                while len(workers) < jobs and (trial := queue.take()):
                    workers.append(_Worker(self.settings, jobs))
                    workers[-1].give(trial)
                busy = {worker.connection: worker for worker in workers if worker.trial}
                if not busy:
                    return
                for connection in wait(list(busy)):
                    worker = busy[connection]  # type: ignore[index]  # wait() takes sockets, too
                    trial, event = worker.trial, worker.receive()
                    assert trial is not None  # noqa: S101
                    if event is None:
                        workers.remove(worker)
                        listener(queue.put_back(trial, worker.run, worker.cause_of_death()))
                        continue
                    decision = listener(event)
                    if event.kind == "epoch_end":
                        worker.answer(decision)
                    elif event.ends_trial and (following := queue.take()):
                        worker.give(following)
        finally:
            _stop(workers)


class _Worker:
    """A process that runs the trials that it is given, one at a time, and reports of them."""

    def __init__(self, settings: ExecutorSettings, jobs: int) -> None:
        self.connection, theirs = pipe()
        given = (theirs, settings.options, jobs, settings.force)
        self.process = CONTEXT.Process(target=_work, args=given)
        with interrupts_held():
            self.process.start()
        theirs.close()  # so that the death of the worker is an end of file here
        self.trial: Trial | None = None
        self.run: Run | None = None

    def give(self, trial: Trial) -> None:
        self.trial, self.run = trial, None
        with suppress(OSError):  # dead: `receive` finds out
            self.connection.send(trial)

    def answer(self, decision: Decision) -> None:
        """Send what was decided at the end of an epoch."""
        with suppress(OSError):
            self.connection.send(decision)

    def receive(self) -> TrialEvent | None:
        """Return the next event, None if the worker died."""
        try:
            event: TrialEvent = self.connection.recv()
        except (EOFError, OSError):
            return None
        self.run = event.run or self.run
        if event.ends_trial:
            self.trial = None
        return event

    def cause_of_death(self) -> str:
        """Return what ended the process, in words."""
        self.process.join()
        code = self.process.exitcode or 0
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"its worker process died ({how})"


def _stop(workers: Sequence[_Worker]) -> None:
    try:
        for worker in workers:
            worker.process.terminate()
        deadline = time.monotonic() + GRACE
        for worker in workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.join()


def _work(connection: Connection, options: RunOptions, jobs: int, force: bool) -> None:
    ignore_interrupts()
    signal.signal(signal.SIGTERM, _interrupt)
    end_with_parent(GRACE)
    with suppress(EOFError, OSError, KeyboardInterrupt):
        import torch  # noqa: PLC0415  here and not above: the driver needs none

        torch.set_num_threads(max(1, torch.get_num_threads() // jobs))

        def listener(event: TrialEvent) -> Decision:
            with suppress(OSError, EOFError):  # the driver is gone
                connection.send(event)
                if event.kind == "epoch_end":
                    decision: Decision = connection.recv()
                    return decision
            return Decision.CONTINUE

        while True:
            run_trial(connection.recv(), options, listener, force=force)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once: the status is written meanwhile
    raise KeyboardInterrupt
