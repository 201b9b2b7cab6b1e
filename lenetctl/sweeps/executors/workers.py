"""Worker processes, each with an executor of its own that runs the trials it is given."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Any, NoReturn

from lenetctl.processes import (
    CONTEXT,
    end_with_parent,
    ignore_interrupts,
    interrupts_held,
    pipe,
)
from lenetctl.runs.folder import Run
from lenetctl.sweeps.events import Decision, Listener, TrialEvent
from lenetctl.sweeps.executors.base import Batch, ExecutorSettings, RetryQueue, make_executor

GRACE = 2.0  # seconds that a worker has to write its status down before it is killed
NAMES = ("SIGINT", "SIGTERM", "SIGUSR2")  # the last: what Slurm sends before a job's time is over
INTERRUPTS = [number for name in NAMES if (number := getattr(signal, name, None))]


def run_in_workers(
    executor: str,
    batches: Iterable[Batch],
    workers: Sequence[ExecutorSettings],
    listener: Listener,
) -> None:
    """Run batches of trials as `Executor.run` does, each in one of several processes.

    Args:
        executor: the name of the one that runs a batch within its process.
        batches: trials that go to one process together; taken when there is room for them.
        workers: what each process is to do its runs by; they share the threads of this machine.
        listener: hears of all trials, in this thread.

    """
    queue, free = RetryQueue(batches), list(reversed(workers))
    started: list[_WorkerProcess] = []
    try:
        while True:
            while free and (batch := queue.take()):
                started.append(_WorkerProcess(executor, free.pop(), len(workers)))
                started[-1].give(batch)
            busy = {worker.connection: worker for worker in started if worker.trials}
            if not busy:
                return
            for connection in wait(list(busy)):
                worker = busy[connection]
                event = worker.receive()
                if event is None:
                    started.remove(worker)
                    free.append(worker.settings)
                    cause = worker.cause_of_death()
                    for lost in queue.put_back(worker.trials, worker.runs, cause):
                        listener(lost)
                    continue
                decision = listener(event)
                if event.kind == "epoch_end":
                    worker.answer(decision)
                elif not worker.trials and (following := queue.take()):
                    worker.give(following)
    finally:
        _stop(started)


class Worker:
    """A worker as the driver sees it: it runs one batch of trials at a time and reports of them."""

    def __init__(self, connection: Any) -> None:
        """`connection` sends and receives messages, as a `Connection` does."""
        self.connection = connection
        self.trials: Batch = []  # of its batch, those that have not ended
        self.runs: dict[str, Run | None] = {}  # of its batch, by the trial's SHA-256

    def give(self, batch: Batch) -> None:
        """Let it run a batch."""
        self.trials, self.runs = list(batch), {}
        with suppress(OSError):  # dead: `receive` finds out
            self.connection.send(batch)

    def answer(self, decision: Decision) -> None:
        """Send what was decided at the end of an epoch."""
        with suppress(OSError):
            self.connection.send(decision)

    def receive(self) -> TrialEvent | None:
        """Return the next event, None if the worker died."""
        try:
            event: TrialEvent = self.connection.recv()
        except (EOFError, OSError, ValueError):  # the last: no event
            return None
        self.runs[event.sha256] = event.run or self.runs.get(event.sha256)
        if event.ends_trial:
            self.trials = [trial for trial in self.trials if trial.sha256 != event.sha256]
        return event


class _WorkerProcess(Worker):
    """A worker that is a process of this machine."""

    def __init__(self, executor: str, settings: ExecutorSettings, workers: int) -> None:
        ours, theirs = pipe()
        super().__init__(ours)
        self.settings = settings
        given = (theirs, executor, settings, workers)
        self.process = CONTEXT.Process(target=_work, args=given)
        with interrupts_held():
            self.process.start()
        theirs.close()  # so that the death of the worker is an end of file here

    def cause_of_death(self) -> str:
        """Return what ended the process, in words."""
        self.process.join()
        code = self.process.exitcode or 0
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"its worker process died ({how})"


def _stop(workers: Sequence[_WorkerProcess]) -> None:
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


def _work(connection: Connection, executor: str, settings: ExecutorSettings, workers: int) -> None:
    ignore_interrupts()
    signal.signal(signal.SIGTERM, interrupt)
    end_with_parent(GRACE)
    with suppress(EOFError, OSError, KeyboardInterrupt):
        import torch  # noqa: PLC0415  here and not above: the driver needs none

        threads = max(1, torch.get_num_threads() // workers)
        serve(connection, executor, settings, threads)


def serve(connection: Any, executor: str, settings: ExecutorSettings, threads: int) -> NoReturn:
    """Be a worker: run the batches that come through `connection`, and report of them.

    Raises:
        EOFError, OSError, KeyboardInterrupt: the driver is gone, or nothing more is to be done.

    """
    import torch  # noqa: PLC0415

    torch.set_num_threads(threads)

    def listener(event: TrialEvent) -> Decision:
        try:
            connection.send(event)
            if event.kind == "epoch_end":
                decision: Decision = connection.recv()
                return decision
        except (EOFError, OSError):  # the driver is gone; the trial goes on with the next one
            raise KeyboardInterrupt from None
        return Decision.CONTINUE

    within = make_executor(executor, settings)
    while True:
        within.run(connection.recv(), listener)


def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    """End the trial as Ctrl-C does, once: its status is written meanwhile."""
    for number in INTERRUPTS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
