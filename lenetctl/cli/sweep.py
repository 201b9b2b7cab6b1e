"""`lenetctl sweep`: many runs, planned first, done once each, ranked last."""

import os
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import SOME_FAILED, guarded


class ExecutorName(StrEnum):
    """How the runs are gone through."""

    serial = "serial"
    processes = "processes"


@guarded
def sweep(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A folder of specs, a sweep.yaml or a spec.")
    ],
    overrides: options.Set = None,
    seeds: Annotated[
        str | None, typer.Option("--seeds", metavar="N,N,…", help="Run every spec with each.")
    ] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option(
            "-g", "--grid", metavar="KEY=A,B,C", help="Values of a key; repeat it for a grid."
        ),
    ] = None,
    executor: Annotated[
        ExecutorName | None,
        typer.Option("--executor", help="Default: processes where --jobs is above 1."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", min=1, help="Runs at a time; they share out the cores."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the trials.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Run again what is done.")] = False,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first failure.")
    ] = False,
    experiment: Annotated[
        str | None,
        typer.Option("--experiment", help="MLflow experiment; default: the sweep's name."),
    ] = None,
    device: options.Device = "auto",
    engine: options.Engine = options.EngineName.auto,
    data_dir: options.DataDir = None,
    tracking_uri: options.TrackingUri = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Run every spec of a folder, or a grid; what is done is skipped, what was stopped goes on."""
    from lenetctl.cli.screen import Screen
    from lenetctl.cli.sweep_view import Board, print_plan
    from lenetctl.runs.axes import SEED, parse
    from lenetctl.runs.collection import ROOT
    from lenetctl.runs.plan import plan
    from lenetctl.runs.sweep import finished, index, prepare, unfinished

    axes = [parse(text) for text in grid or []]
    if seeds is not None:
        axes.append(parse(f"{SEED}={seeds}"))
    planned = plan(path, {axis.key: axis for axis in axes}, overrides or [])
    screen = Screen(as_json=as_json, quiet=quiet)
    board = Board(planned, screen)
    known = index(ROOT)
    goes_on = {}
    for sha256, row in board.rows.items():
        runs = known.get(sha256, [])
        run = None if force or row.trial.spec.data.dataset == "folder" else finished(runs)
        if run:
            row.status, row.run, row.epochs = "skipped", run, run.epochs()
        elif begun := unfinished(runs):
            goes_on[sha256] = begun
    if dry_run:
        if not as_json:
            print_plan(planned, board, goes_on, screen.console)
        screen.result(board.document(), board.said())
        return

    from lenetctl.cli.sweeping import conclude, fetch, go_through
    from lenetctl.cli.tracking import catch_up, require_current, writer

    prepare(ROOT)
    writing = writer(tracking_uri, screen)
    catch_up(ROOT, writing)
    left = [row.trial for row in board.rows.values() if row.status == "planned"]
    if left:
        from lenetctl.runs.execute import Options  # torch, which skipping does not need
        from lenetctl.runs.executors import processes, serial
        from lenetctl.tracking.parent import SWEEP

        fetch(left, data_dir)
        name = experiment or planned.name
        tags = {SWEEP: planned.name}
        doing = Options(ROOT, data_dir, device, engine.value, name, tags=tags)
        many = executor is ExecutorName.processes or (executor is None and (jobs or 1) > 1)
        work = partial(processes, jobs=jobs or os.cpu_count() or 1) if many else serial
        go_through(partial(work, left, doing, force=force, fail_fast=fail_fast), board, writing)
    writing.close()
    conclude(board, screen)
    if board.counts().get("failed"):
        raise typer.Exit(SOME_FAILED)
    require_current([row.run for row in board.rows.values() if row.run], writing, screen)
