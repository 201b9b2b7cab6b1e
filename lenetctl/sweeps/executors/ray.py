"""An executor of a sweep that hands its trials to the nodes of a Ray cluster.

All nodes see the same files: a trial that is tried again on another node goes on with its run.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
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
from lenetctl.sweeps.executors.processes import GRACE, Queue
from lenetctl.sweeps.plan import Trial
from lenetctl.sweeps.trial import Tell, TrialEvent, run_trial

LISTENING = 0.5  # seconds between two looks at which tasks ended


def cluster(
    trials: Iterable[Trial],
    options: RunOptions,
    tell: Tell,
    jobs: int | None = None,
    *,
    force: bool = False,
) -> None:
    """Do `jobs` trials at a time, else one for each CPU, each with its share of CPUs and GPUs.

    The cluster is the one that RAY_ADDRESS names. A trial whose process or node is lost is tried
    again once, wherever there is room. However this ends, no task is left.

    Raises:
        UsageError: there is no such cluster.

    """
    own = replace(
        options,
        root=options.root.resolve(),
        data_dir=options.data_dir.resolve() if options.data_dir else None,
    )
    queue = Queue(trials)
    with _connected():
        desk = _desk()
        at_once, task = _task(jobs)
        tasks: dict[Any, Trial] = {}
        runs: dict[str, Run | None] = {}
        try:
            while True:
                while len(tasks) < at_once and (trial := queue.take()):
                    tasks[task.remote(trial, own, desk, force=force)] = trial
                if not tasks:
                    return
                # first who ended, then what there is to hear: their last news are among it
                ended, _ = ray.wait(list(tasks), num_returns=len(tasks), timeout=0)
                for number, news in ray.get(desk.hear.remote()):
                    runs[news.sha256] = news.run or runs.get(news.sha256)
                    answer = bool(tell(news))
                    if number is not None:
                        desk.answer.remote(number, answer)
                for one in ended:
                    trial = tasks.pop(one)
                    if cause := _cause_of_death(one):
                        tell(queue.buried(trial, runs.get(trial.sha256), cause))
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


def _desk() -> Any:
    """Return a desk on the driver's own node, which is not lost before the driver is."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(num_cpus=0, scheduling_strategy=here)(_Desk).remote()


def _task(jobs: int | None) -> tuple[int, Any]:
    """Return how many tasks run at once, and one with its share of the cluster."""
    there = ray.cluster_resources()
    cpus = int(there.get("CPU", 1))
    jobs = jobs or cpus
    share = {"num_cpus": max(1, cpus // jobs), "num_gpus": min(1.0, there.get("GPU", 0) / jobs)}
    return jobs, ray.remote(max_retries=0, **share)(_work)


def _work(trial: Trial, options: RunOptions, desk: Any, *, force: bool) -> None:
    share = ray.get_runtime_context().get_assigned_resources()
    torch.set_num_threads(int(share["CPU"]))
    run_trial(trial, options, lambda news: ray.get(desk.tell.remote(news)), force=force)


class _Desk:
    """Where tasks leave their news and, while they run, wait for an answer."""

    def __init__(self) -> None:
        self._news: asyncio.Queue[tuple[int | None, TrialEvent]] = asyncio.Queue()
        self._numbers, self._answers = count(), dict[int, asyncio.Future[bool]]()

    async def tell(self, news: TrialEvent) -> bool:
        if news.status != "running":
            await self._news.put((None, news))
            return False
        number, answer = next(self._numbers), asyncio.Future[bool]()
        self._answers[number] = answer
        await self._news.put((number, news))
        return await answer

    async def hear(self) -> list[tuple[int | None, TrialEvent]]:
        try:
            heard = [await asyncio.wait_for(self._news.get(), LISTENING)]
        except TimeoutError:
            return []
        while not self._news.empty():
            heard.append(self._news.get_nowait())
        return heard

    async def answer(self, number: int, answer: bool) -> None:
        self._answers.pop(number).set_result(answer)


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
