"""How `lenetctl sweep` goes through trials: data, runs, ranking, exit code."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import typer

from lenetctl.analysis.comparison import rank_runs
from lenetctl.analysis.groups import Group, group_runs, read_runs
from lenetctl.cli.console import Console
from lenetctl.cli.errors import SOME_FAILED
from lenetctl.cli.views.leaderboard import leaderboard_document, print_leaderboard
from lenetctl.cli.views.sweep import SweepView, print_plan
from lenetctl.runs.folder import Run
from lenetctl.runs.options import RunOptions
from lenetctl.runs.store import ROOT, RunStore
from lenetctl.sweeps.claims import make_claims_folder
from lenetctl.sweeps.events import Decision, FailedFast, Listener, TrialEvent
from lenetctl.sweeps.executors import WORKERS_DRAW, ExecutorName
from lenetctl.sweeps.executors.base import Executor, ExecutorSettings, make_executor
from lenetctl.sweeps.grid import SweptKey
from lenetctl.sweeps.plan import plan_sweep
from lenetctl.sweeps.trial import Trial, latest_finished, latest_unfinished
from lenetctl.tracking.writer_process import WriterProcess
from lenetctl.training.metrics import EPOCH_SECONDS


@dataclass(frozen=True)
class SweepOptions:
    """The options of the command that say how, not what."""

    console: Console
    executor: str
    executor_options: Mapping[str, Any]
    jobs: int | None  # trials at a time, where the executor is not to choose
    dry_run: bool
    force: bool
    fail_fast: bool
    diagnostics: bool
    keep_epochs: bool
    experiment: str | None
    device: str
    engine: str
    data_dir: Path | None
    tracking_uri: str | None

    @property
    def in_fleets(self) -> bool:
        """Whether nets are trained many as one."""
        return self.executor == "fleet" or "fleet" in self.executor_options

    @property
    def workers_draw(self) -> bool:
        """Whether those who train also draw the pictures of their runs."""
        return self.executor in WORKERS_DRAW


def usual_executor(wanted: ExecutorName | None, jobs: int | None) -> str:
    """Return the executor that is wanted, else the one for so many trials at a time."""
    return wanted.value if wanted else "processes" if (jobs or 1) > 1 else "serial"


def sweep_through(
    path: Path, grid: Mapping[str, SweptKey], settings: Sequence[str], options: SweepOptions
) -> None:
    """Plan a sweep and run what is not done yet."""
    planned = plan_sweep(path, grid, settings)
    view = SweepView(planned.name, planned.trials, options.console)
    goes_on = look_up(view, force=options.force)
    if options.dry_run:
        if not options.console.as_json:
            print_plan(planned, view, goes_on, options.console.rich)
        options.console.result(view.document(), view.said())
        return
    left = [row.trial for row in view.rows.values() if row.status == "planned"]
    go_through([left], {trial.spec.data.dataset for trial in left}, view, view.on_event, options)


def go_through(
    batches: Iterable[Iterable[Trial]],
    datasets: Collection[str],
    view: SweepView,
    listener: Listener,
    options: SweepOptions,
    conclude: Callable[[], None] | None = None,
) -> None:
    """Run the trials batch by batch, publish them, and say what came of it.

    A batch is asked for when all trials of the one before have ended. `conclude` prints the result,
    by default the ranking of all that is done.

    Raises:
        Exit: 6 where runs failed, else as `closed`.

    """
    from lenetctl.cli.publishing import DRAWING, PUBLISHING, catch_up, closed, writer

    make_claims_folder(ROOT)
    drawing = () if options.workers_draw else DRAWING
    writing = writer(options.tracking_uri, options.console, (*PUBLISHING, *drawing))
    catch_up(writing)
    if datasets:
        writing.start()  # it imports MLflow while torch is imported
        _fetch(datasets, options.data_dir, options.console)
        publishing = partial(_published, listener, writing, fail_fast=options.fail_fast)
        _execute(_executor(view.name, options), batches, publishing, view, writing)
    runs = [row.run for row in view.rows.values() if row.run]
    with closed(writing, runs, options.console):
        if conclude:
            conclude()
        else:
            rank(view, options.console)
        if view.counts().get("failed"):
            raise typer.Exit(SOME_FAILED)


def look_up(view: SweepView, *, force: bool) -> dict[str, Run]:
    """Mark what is done already; return the runs that trials go on with, by identity."""
    known = RunStore().by_spec()
    goes_on = {}
    for sha256, row in view.rows.items():
        runs = known.get(sha256, [])
        run = None if force or row.trial.spec.data.dataset == "folder" else latest_finished(runs)
        if run:
            row.status, row.run, row.epochs = "skipped", run, run.epochs()
        elif begun := latest_unfinished(runs):
            goes_on[sha256] = begun
    return goes_on


def group_of(trials: Iterable[Trial], view: SweepView) -> Group | None:
    """Return the runs of trials that differ in the seed alone; None where none has a result."""
    runs = [run for trial in trials if (run := view.rows[trial.sha256].run)]
    groups = group_runs(read_runs(dict.fromkeys(runs)))
    return groups[-1] if groups and groups[-1].runs else None


def expected_time(done: Sequence[Run], left: int) -> str:
    """Return how long so many more runs take at most, by those that are done."""
    if not (done and left):
        return ""
    seconds = fmean(sum(line.get(EPOCH_SECONDS, 0) for line in run.epochs()) for run in done)
    return f"at most {left * seconds / 3600:.1f} h more, at {seconds:.0f} s a run as so far"


def _fetch(datasets: Collection[str], data_dir: Path | None, console: Console) -> None:
    """Fetch what is missing once, here, and not in every worker."""
    from lenetctl.data.catalog import CATALOG
    from lenetctl.data.data_dir import choose_data_dir, is_complete
    from lenetctl.data.fetch import fetch_dataset

    where = choose_data_dir(data_dir)
    for name in sorted(CATALOG.keys() & datasets):
        if not is_complete(name, where):
            console.say(f"{name} is fetched into {where}")
            fetch_dataset(name, where)


def _executor(sweep: str, options: SweepOptions) -> Executor:
    from lenetctl.artifacts import draw
    from lenetctl.tracking.sweeps.parent import SWEEP

    run_options = RunOptions(
        ROOT,
        options.data_dir,
        options.device,
        options.engine,
        options.experiment or sweep,
        diagnostics=options.diagnostics,
        keep_epochs=options.keep_epochs,
        tags={SWEEP: sweep},
    )
    settings = ExecutorSettings(
        run_options,
        options.jobs,
        options.force,
        options.console.warn,
        options.executor_options,
        draw if options.workers_draw else None,
    )
    return make_executor(options.executor, settings)


def _published(
    listener: Listener, writing: WriterProcess, event: TrialEvent, *, fail_fast: bool
) -> Decision:
    """Pass an event on, to the writer too.

    Raises:
        FailedFast: a trial failed, and that is to stop the rest.

    """
    decision = listener(event)
    if event.run:
        writing.notify(event.run)
    if fail_fast and event.kind == "failed":
        raise FailedFast
    return decision


def _execute(
    executor: Executor,
    batches: Iterable[Iterable[Trial]],
    listener: Listener,
    view: SweepView,
    writing: WriterProcess,
) -> None:
    """Run the trials; where that is stopped, MLflow still hears of what was in training."""
    try:
        with view, suppress(FailedFast):
            for trials in batches:
                executor.run(trials, listener)
    except KeyboardInterrupt:
        for run in RunStore().end_dead():
            writing.notify(run)
        for row in view.rows.values():
            if row.status == "running" and row.run:
                writing.notify(row.run)
        writing.stop(within=2)
        view.console.warn(f"stopped: {view.said()}; the same command goes on")
        raise


def rank(
    view: SweepView,
    console: Console,
    leave_out: Iterable[Trial] = (),
    also: Mapping[str, Any] | None = None,
) -> None:
    """Print the ranking of what is done, by the names of this sweep; `also` in the document."""
    gone = {trial.sha256 for trial in leave_out}
    rows = [row for sha256, row in view.rows.items() if sha256 not in gone]
    over = {row.run: row.trial.spec.name for row in rows if row.run}
    is_done = any(run.is_finished for run in over)
    ranking = rank_runs(read_runs(over, console.warn)) if is_done else None
    if ranking and not console.as_json:
        print_leaderboard(ranking, console.rich)
    board = leaderboard_document(ranking) if ranking else None
    console.result(view.document() | {"leaderboard": board} | dict(also or {}), view.said())
