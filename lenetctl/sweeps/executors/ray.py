"""Trials on the nodes of a Ray cluster.

All nodes see the same files: a trial that is tried again on another node goes on with its run.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

# as `uv run` had started them, workers would be given environments of their own
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
import torch
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from lenetctl.errors import UsageError
from lenetctl.runs.folder import Run
from lenetctl.runs.options import RunOptions
from lenetctl.sweeps.events import Decision, Draw, Listener, TrialEvent
from lenetctl.sweeps.executors.base import ExecutorSettings, RetryQueue
from lenetctl.sweeps.executors.workers import GRACE
from lenetctl.sweeps.run_trial import run_trial
from lenetctl.sweeps.trial import Trial

LISTENING = 0.5  # seconds between two looks at which tasks ended


@dataclass(frozen=True)
class RayExecutor:
    """Runs `jobs` trials at a time, else one for each CPU, each with its share of CPUs and GPUs.

    The cluster is the one that RAY_ADDRESS names. A trial whose process or node is lost is tried
    again once, wherever there is room.
    """

    settings: ExecutorSettings

    def run(self, trials: Iterable[Trial], listener: Listener) -> None:
        """Run the trials.

        Raises:
            UsageError: there is no such cluster.

        """
        options = self.settings.options.absolute()
        how = self.settings.draw, self.settings.force
        queue = RetryQueue([trial] for trial in trials)
        with _connected():
            relay = _relay()
            at_once, task = _task(self.settings.jobs)
            tasks: dict[Any, Trial] = {}
            under_way: set[str] = set()  # the trials of those that have not told of their end
            runs: dict[str, Run | None] = {}
            try:
                while True:
                    while len(under_way) < at_once and (batch := queue.take()):
                        (trial,) = batch
                        under_way.add(trial.sha256)
                        tasks[task.remote(trial, options, relay, *how)] = trial
                    if not tasks:
                        return
                    # first which ended, then the events: the last ones of those are among them
                    ended, _ = ray.wait(list(tasks), num_returns=len(tasks), timeout=0)
                    for number, event in ray.get(relay.receive.remote()):
                        runs[event.sha256] = event.run or runs.get(event.sha256)
                        if event.ends_trial:
                            under_way.discard(event.sha256)
                        decision = listener(event)
                        if number is not None:
                            relay.answer.remote(number, decision)
                    for handle in ended:
                        trial = tasks.pop(handle)
                        if cause := _cause_of_death(handle):
                            under_way.discard(trial.sha256)
                            for lost in queue.put_back([trial], runs, cause):
                                listener(lost)
            finally:
                _stop(list(tasks))


@contextmanager
def _connected() -> Iterator[None]:
    if ray.is_initialized():
        yield
        return
    # one that Ray would start here would listen to the whole network
    if not (address := os.environ.get("RAY_ADDRESS")):
        alone = "on one machine --jobs does without"
        raise UsageError(f"--executor ray: set RAY_ADDRESS to that of your cluster; {alone}")
    try:
        ray.init(address, log_to_driver=False, logging_level="ERROR")
    except ConnectionError as error:
        raise UsageError(f"--executor ray: no cluster at {address}: {error}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _relay() -> Any:
    """Return a relay on the driver's own node, which is not lost before the driver is."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(num_cpus=0, scheduling_strategy=here)(_EventRelay).remote()


def _task(jobs: int | None) -> tuple[int, Any]:
    """Return how many tasks run at once, and one with its share of the cluster."""
    there = ray.cluster_resources()
    cpus = int(there.get("CPU", 1))
    jobs = jobs or cpus
    share = {"num_cpus": max(1, cpus // jobs), "num_gpus": min(1.0, there.get("GPU", 0) / jobs)}
    return jobs, ray.remote(max_retries=0, **share)(_work)


def _work(trial: Trial, options: RunOptions, relay: Any, draw: Draw | None, force: bool) -> None:
    share = ray.get_runtime_context().get_assigned_resources()
    torch.set_num_threads(int(share["CPU"]))

    def listener(event: TrialEvent) -> Decision:
        decision: Decision = ray.get(relay.send.remote(event))
        return decision

    run_trial(trial, options, listener, force=force, draw=draw)


class _EventRelay:
    """Carries events from the tasks to the driver, and its decisions back."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[tuple[int | None, TrialEvent]] = asyncio.Queue()
        self._numbers, self._decisions = count(), dict[int, asyncio.Future[Decision]]()

    async def send(self, event: TrialEvent) -> Decision:
        """Pass an event on; at the end of an epoch, return what the driver decided."""
        if event.kind != "epoch_end":
            await self._events.put((None, event))
            return Decision.CONTINUE
        number, decision = next(self._numbers), asyncio.Future[Decision]()
        self._decisions[number] = decision
        await self._events.put((number, event))
        return await decision

    async def receive(self) -> list[tuple[int | None, TrialEvent]]:
        """Return the events since the last time, those that wait for a decision with a number."""
        try:
            received = [await asyncio.wait_for(self._events.get(), LISTENING)]
        except TimeoutError:
            return []
        while not self._events.empty():
            received.append(self._events.get_nowait())
        return received

    async def answer(self, number: int, decision: Decision) -> None:
        """Let the task with the numbered event go on."""
        self._decisions.pop(number).set_result(decision)


def _cause_of_death(task: Any) -> str:
    """Return why a task that ended did not come to its end; nothing where it did."""
    try:
        ray.get(task)
    except RayError as error:
        return f"its Ray task was lost ({type(error).__name__})"
    return ""


def _stop(tasks: list[Any]) -> None:
    """Interrupt tasks, which write their status down, and end them for good after that."""
    for task in tasks:
        ray.cancel(task)
    if tasks:
        ray.wait(tasks, num_returns=len(tasks), timeout=GRACE)
    for task in tasks:
        ray.cancel(task, force=True)
