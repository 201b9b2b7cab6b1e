"""How `lenetctl sweep` goes through trials: data, runs, ranking, exit code."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import typer

from lenetctl.cli.console import Screen
from lenetctl.cli.errors import SOME_FAILED
from lenetctl.cli.views.leaderboard import leaderboard, print_leaderboard
from lenetctl.cli.views.sweep import SweepView, print_plan
from lenetctl.errors import UsageError
from lenetctl.runs.folder import Run
from lenetctl.runs.store import ROOT, settle
from lenetctl.sweeps.grid import SweptKey
from lenetctl.sweeps.plan import Trial, plan_sweep
from lenetctl.sweeps.trial import FailedFast, Tell, TrialEvent, finished, index, prepare, unfinished
from lenetctl.tracking.writer_process import WriterProcess


@dataclass(frozen=True)
class How:
    """The options of the command that say how, not what."""

    screen: Screen
    executor: str
    jobs: int | None  # trials at a time, where the executor is not to choose
    dry_run: bool
    force: bool
    fail_fast: bool
    experiment: str | None
    device: str
    engine: str
    data_dir: Path | None
    tracking_uri: str | None


def sweep_through(
    path: Path, axes: Mapping[str, SweptKey], settings: Sequence[str], how: How
) -> None:
    """Plan a sweep and run what is not done yet."""
    planned = plan_sweep(path, axes, settings)
    board = SweepView(planned.name, planned.trials, how.screen)
    goes_on = _look_up(board, force=how.force)
    if how.dry_run:
        if not how.screen.as_json:
            print_plan(planned, board, goes_on, how.screen.console)
        how.screen.result(board.document(), board.said())
        return
    left = [row.trial for row in board.rows.values() if row.status == "planned"]
    go_through(left, {trial.spec.data.dataset for trial in left}, board, board.tell, how)


def go_through(
    trials: Iterable[Trial], datasets: Collection[str], board: SweepView, tell: Tell, how: How
) -> None:
    """Run `trials`, publish them, rank all that is done.

    Raises:
        Exit: 6 where runs failed, else as `require_current`.

    """
    from lenetctl.cli.publishing import catch_up, require_current, writer

    prepare(ROOT)
    writing = writer(how.tracking_uri, how.screen)
    catch_up(ROOT, writing)
    if datasets:
        writing.start()  # it imports MLflow while torch is imported
        _fetch(datasets, how.data_dir)
        told = partial(_told, tell, writing, fail_fast=how.fail_fast)
        _work(_executor(board.name, how), trials, told, board, writing)
    writing.close()
    _conclude(board, how.screen)
    if board.counts().get("failed"):
        raise typer.Exit(SOME_FAILED)
    require_current([row.run for row in board.rows.values() if row.run], writing, how.screen)


def _look_up(board: SweepView, *, force: bool) -> dict[str, Run]:
    """Mark what is done already; return the runs that trials go on with, by identity."""
    known = index(ROOT)
    goes_on = {}
    for sha256, row in board.rows.items():
        runs = known.get(sha256, [])
        run = None if force or row.trial.spec.data.dataset == "folder" else finished(runs)
        if run:
            row.status, row.run, row.epochs = "skipped", run, run.epochs()
        elif begun := unfinished(runs):
            goes_on[sha256] = begun
    return goes_on


def _fetch(datasets: Collection[str], data_dir: Path | None) -> None:
    """Fetch what is missing once, here, and not in every worker."""
    from lenetctl.data.catalog import CATALOG
    from lenetctl.data.data_dir import choose_data_dir, is_complete
    from lenetctl.data.fetch import fetch_dataset

    where = choose_data_dir(data_dir)
    for name in sorted(CATALOG.keys() & datasets):
        if not is_complete(name, where):
            fetch_dataset(name, where)


def _executor(sweep: str, how: How) -> Callable[[Iterable[Trial], Tell], None]:
    from lenetctl.runs.options import RunOptions
    from lenetctl.sweeps.executors.processes import processes, serial
    from lenetctl.tracking.sweep_parent import SWEEP

    options = RunOptions(
        ROOT, how.data_dir, how.device, how.engine, how.experiment or sweep, tags={SWEEP: sweep}
    )
    work: Callable[..., None] = serial
    if how.executor == "processes":
        work = partial(processes, jobs=how.jobs or os.cpu_count() or 1)
    elif how.executor == "fleet":
        # torch, which a driver of processes does not need
        from lenetctl.sweeps.executors.fleet import SIZE, fleet
        from lenetctl.training.device import select_device

        work = partial(fleet, size=how.jobs or SIZE)
        if select_device(how.device).type == "cpu":
            how.screen.warn(
                "a fleet is for a GPU: a CPU trains its models faster one after another"
            )
    elif how.executor == "ray":
        try:
            from lenetctl.sweeps.executors.ray import cluster
        except ModuleNotFoundError as error:
            remedy = "install lenetctl with its extra `ray`"
            raise UsageError(f"--executor ray: {error.name} is not installed: {remedy}") from None
        work = partial(cluster, jobs=how.jobs)
    return lambda trials, tell: work(trials, options, tell, force=how.force)


def _told(tell: Tell, writing: WriterProcess, news: TrialEvent, *, fail_fast: bool) -> object:
    """Pass news on, to the writer too; raise FailedFast where a failure is to stop the rest."""
    answer = tell(news)
    if news.run:
        writing.notify(news.run)
    if fail_fast and news.status == "failed":
        raise FailedFast
    return answer


def _work(
    go: Callable[[Iterable[Trial], Tell], None],
    trials: Iterable[Trial],
    tell: Tell,
    board: SweepView,
    writing: WriterProcess,
) -> None:
    """Do the work; where it is stopped, MLflow still hears of what was in training."""
    try:
        with board, suppress(FailedFast):
            go(trials, tell)
    except KeyboardInterrupt:
        for run in settle(ROOT):
            writing.notify(run)
        for row in board.rows.values():
            if row.status == "running" and row.run:
                writing.notify(row.run)
        writing.stop(within=2)
        board.screen.warn(f"stopped: {board.said()}; the same command goes on")
        raise


def _conclude(board: SweepView, screen: Screen) -> None:
    """Print the ranking of what is done."""
    done = [
        (row.trial.spec.name, row.run)
        for row in board.rows.values()
        if row.run and row.status in ("finished", "skipped")
    ]
    ranking = leaderboard(done) if done else None
    if ranking and not screen.as_json:
        print_leaderboard(ranking, screen.console)
    screen.result(board.document() | {"leaderboard": ranking}, board.said())
