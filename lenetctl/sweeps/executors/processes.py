"""How the trials of a sweep are gone through: one after another here, or by worker processes."""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import NoReturn

from lenetctl.processes import CONTEXT, end_with_parent, interrupts_held
from lenetctl.runs.folder import Run
from lenetctl.runs.options import RunOptions
from lenetctl.sweeps.plan import Trial
from lenetctl.sweeps.trial import Tell, TrialEvent, run_trial

GRACE = 2.0  # seconds that a worker has to write its status down before it is killed


def serial(
    trials: Iterable[Trial],
    options: RunOptions,
    tell: Tell,
    *,
    force: bool = False,
) -> None:
    """Do one trial after another in this process, with all its threads."""
    for trial in trials:
        run_trial(trial, options, tell, force=force)


def processes(
    trials: Iterable[Trial],
    options: RunOptions,
    tell: Tell,
    jobs: int,
    *,
    force: bool = False,
) -> None:
    """Do `jobs` trials at a time, each in a process with its share of the threads.

    A trial is taken from `trials` when a worker is free for it, and one whose process dies is
    tried again once. However this ends, no worker is left.
    """
    queue = Queue(trials)
    workers: list[_Worker] = []
    try:
        while True:
            while len(workers) < jobs and (trial := queue.take()):
                workers.append(_Worker(options, jobs))
                workers[-1].give(trial, force=force)
            busy = {worker.connection: worker for worker in workers if worker.trial}
            if not busy:
                return
            for connection in wait(list(busy)):
                worker = busy[connection]  # type: ignore[index]  # wait() takes sockets, too
                trial, news = worker.trial, worker.hear()
                assert trial is not None  # noqa: S101
                if news is None:
                    workers.remove(worker)
                    news = queue.buried(trial, worker.run, worker.cause_of_death())
                answer = tell(news)
                if news.status == "running":
                    worker.answer(answer)
                elif worker in workers and (more := queue.take()):
                    worker.give(more, force=force)
    finally:
        _stop(workers)


class Queue:
    """The trials to hand out: before all others those that come back."""

    def __init__(self, trials: Iterable[Trial]) -> None:
        self._rest, self._back = iter(trials), deque[Trial]()
        self._came_back: set[str] = set()

    def take(self) -> Trial | None:
        """Return the next trial; None where none is left."""
        return self._back.popleft() if self._back else next(self._rest, None)

    def buried(self, trial: Trial, run: Run | None, cause: str) -> TrialEvent:
        """Take back a trial whose process died, once; write that down and return it as news."""
        if run and run.status["status"] == "RUNNING":
            run.set_status("FAILED", "killed", cause)
        if trial.sha256 in self._came_back:
            return TrialEvent(trial.sha256, "failed", run, cause)
        self._came_back.add(trial.sha256)
        self._back.append(trial)
        return TrialEvent(trial.sha256, "killed", run, f"{cause}; trying again")


class _Worker:
    """A process that does the trials that it is given, one at a time, and tells of them."""

    def __init__(self, options: RunOptions, jobs: int) -> None:
        self.connection, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=_work, args=(theirs, options, jobs))
        with interrupts_held():
            self.process.start()
        theirs.close()  # so that the death of the worker is an end of file here
        self.trial: Trial | None = None
        self.run: Run | None = None

    def give(self, trial: Trial, *, force: bool) -> None:
        self.trial, self.run = trial, None
        with suppress(OSError):  # dead: `hear` finds out
            self.connection.send((trial, force))

    def answer(self, answer: object) -> None:
        """Send what was answered to the news of an epoch."""
        with suppress(OSError):
            self.connection.send(bool(answer))

    def hear(self) -> TrialEvent | None:
        """Return what the worker has to tell, None if it died."""
        try:
            news: TrialEvent = self.connection.recv()
        except (EOFError, OSError):
            return None
        self.run = news.run or self.run
        if news.status != "running":
            self.trial = None
        return news

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


def _work(connection: Connection, options: RunOptions, jobs: int) -> None:
    signal.signal(signal.SIGTERM, _interrupt)
    end_with_parent(GRACE)
    with suppress(EOFError, OSError, KeyboardInterrupt):
        import torch  # noqa: PLC0415  here and not above: the driver needs none

        torch.set_num_threads(max(1, torch.get_num_threads() // jobs))

        def tell(news: TrialEvent) -> object:
            with suppress(OSError, EOFError):  # nobody listens any more
                connection.send(news)
                return news.status == "running" and connection.recv()
            return False

        while True:
            trial, force = connection.recv()
            run_trial(trial, options, tell, force=force)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once: the status is written meanwhile
    raise KeyboardInterrupt
