"""Trials on the nodes of a Ray cluster.

All nodes see the same files: a trial that is tried again on another node goes on with its run.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
from lenetctl.sweeps.events import Decision, Listener, TrialEvent
from lenetctl.sweeps.executors.base import Batch, ExecutorSettings, RetryQueue, make_executor
from lenetctl.sweeps.executors.fleet import ON_CPU, grouped
from lenetctl.sweeps.executors.workers import GRACE
from lenetctl.sweeps.trial import Trial

LISTENING = 0.5  # seconds between two looks at which tasks ended


@dataclass(frozen=True)
class RayExecutor:
    """Runs `jobs` tasks at a time, each with its share of the cluster's CPUs and GPUs.

    A task is one trial, by default one for each CPU; with the option `fleet` it is a fleet of so
    many at most, by default one for each GPU. The cluster is the one that RAY_ADDRESS names. What
    a task had not ended when its process or node was lost is tried again once, wherever there is
    room.
    """

    settings: ExecutorSettings

    def __post_init__(self) -> None:
        """Refuse an option that there is not."""
        extra = self.settings.extra
        size = extra.get("fleet", 1)
        if extra.keys() - {"fleet"} or type(size) is not int or size < 1:
            raise UsageError("--executor ray: its one option is fleet=N, models of a fleet at most")

    def run(self, trials: Iterable[Trial], listener: Listener) -> None:
        """Run the trials.

        Raises:
            UsageError: there is no such cluster.

        """
        own, size = self.settings, self.settings.extra.get("fleet")
        within = own.within(own.options.absolute())
        with _connected():
            at_once, share = share_out(ray.nodes(), own.jobs, in_fleets=bool(size))
            if size and not share["num_gpus"]:
                own.warn(ON_CPU)
            batches = grouped(trials, size, at_once) if size else ([trial] for trial in trials)
            task, relay = ray.remote(max_retries=0, **share)(_work), _relay()

            def start(batch: Batch) -> Any:
                return task.remote(batch, "fleet" if size else "serial", within, relay)

            _run_in_tasks(RetryQueue(batches), at_once, start, relay, listener)


def _run_in_tasks(
    queue: RetryQueue, at_once: int, start: Callable[[Batch], Any], relay: Any, listener: Listener
) -> None:
    tasks: dict[Any, dict[str, Trial]] = {}  # those of its trials that have not ended, by SHA-256
    runs: dict[str, Run | None] = {}
    try:
        while True:
            while sum(map(bool, tasks.values())) < at_once and (batch := queue.take()):
                tasks[start(batch)] = {trial.sha256: trial for trial in batch}
            if not tasks:
                return
            # first which ended, then the events: the last ones of those are among them
            ended, _ = ray.wait(list(tasks), num_returns=len(tasks), timeout=0)
            for event in _heard(relay, listener):
                runs[event.sha256] = event.run or runs.get(event.sha256)
                if event.ends_trial and event.kind != "killed":
                    for left in tasks.values():
                        left.pop(event.sha256, None)
            for handle in ended:
                lost = list(tasks.pop(handle).values())
                if cause := _cause_of_death(handle):
                    for event in queue.put_back(lost, runs, cause):
                        listener(event)
    finally:
        _stop(list(tasks))


def share_out(
    nodes: Sequence[dict[str, Any]], jobs: int | None, *, in_fleets: bool
) -> tuple[int, dict[str, float]]:
    """Return how many tasks run at once, and what each of them asks of a node.

    Where there are GPUs each task has a part of one, so nodes without are left alone.
    """
    there = [node["Resources"] for node in nodes if node["Alive"]]
    there = [node for node in there if node.get("GPU")] or there
    cpus, gpus = ([int(node.get(kind, 0)) for node in there] for kind in ("CPU", "GPU"))
    jobs = jobs or (in_fleets and sum(gpus)) or max(1, sum(cpus))
    # what no node has would be waited for for ever
    share = max(1, min(sum(cpus) // jobs, max(cpus, default=1)))
    return jobs, {"num_cpus": share, "num_gpus": min(1.0, sum(gpus) / jobs)}


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


def _work(batch: Batch, executor: str, settings: ExecutorSettings, relay: Any) -> None:
    share = ray.get_runtime_context().get_assigned_resources()
    torch.set_num_threads(int(share["CPU"]))

    def listener(event: TrialEvent) -> Decision:
        decision: Decision = ray.get(relay.send.remote(event))
        return decision

    make_executor(executor, replace(settings, jobs=len(batch))).run(batch, listener)


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


def _heard(relay: Any, listener: Listener) -> Iterator[TrialEvent]:
    """Pass on the events since the last time, and decisions back; yield the events."""
    for number, event in ray.get(relay.receive.remote()):
        decision = listener(event)
        if number is not None:
            relay.answer.remote(number, decision)
        yield event


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
