"""`lenetctl sweep`: many runs, planned first, done once each, ranked last."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lenetctl.analysis import CONTROL
from lenetctl.cli import options
from lenetctl.cli.errors import guarded
from lenetctl.sweeps.executors import ExecutorName
from lenetctl.sweeps.search import PrunerName, SamplerName


@guarded
def sweep(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A folder of specs, a sweep.yaml or a spec.")
    ],
    overrides: options.Set = None,
    seeds: options.Seeds = None,
    grid: options.Grid = None,
    search: Annotated[
        SamplerName | None,
        typer.Option("--search", help="Search the grid for the best validation accuracy."),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option("--trials", min=1, help="Trials of a search, those done before included."),
    ] = None,
    prune: Annotated[
        PrunerName, typer.Option("--prune", help="Whether a search gives up poor runs early.")
    ] = PrunerName.none,
    until: Annotated[
        Literal["decided"] | None,
        typer.Option(
            "--until", help="Add seeds until each spec has a verdict against the control."
        ),
    ] = None,
    margin: Annotated[
        float,
        typer.Option("--margin", min=0, help="Means within this are equivalent, for --until."),
    ] = 0.005,
    max_seeds: Annotated[
        int, typer.Option("--max-seeds", min=3, help="Seeds of a spec, for --until.")
    ] = 20,
    control: Annotated[
        str, typer.Option("--control", metavar="SPEC", help="What --until measures against.")
    ] = CONTROL,
    executor: Annotated[
        ExecutorName | None,
        typer.Option("--executor", help="Default: processes where --jobs is above 1."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", min=1, help="Runs at a time on each device, or models of a fleet."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the trials.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Run again what is done.")] = False,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first failure.")
    ] = False,
    diagnostics: options.Diagnostics = False,
    keep_epochs: options.KeepEpochs = False,
    experiment: Annotated[
        str | None,
        typer.Option(
            "--experiment",
            help="MLflow experiment; default: the sweep's name.",
            callback=options.experiment_name,
        ),
    ] = None,
    device: options.Device = "auto",
    engine: options.Engine = "auto",
    data_dir: options.DataDir = None,
    tracking_uri: options.TrackingUri = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Run every spec of a folder, or a grid; what is done is skipped, what was stopped goes on."""
    from lenetctl.cli import run_sweep
    from lenetctl.cli.console import Console
    from lenetctl.errors import UsageError
    from lenetctl.sweeps.grid import swept_keys

    if (search is None) != (count is None):
        raise UsageError("--search tpe|random and --trials N go together")
    if diagnostics and executor and executor.value == "fleet":
        raise UsageError("--diagnostics: a fleet trains its nets as one: use another --executor")
    if until and (search or seeds is not None or force):
        raise UsageError(
            "--until decided chooses seeds itself: leave out --search, --seeds, --force"
        )
    by_key = swept_keys(grid, seeds)
    usual = "processes" if (jobs or 1) > 1 else "serial"
    how = run_sweep.SweepOptions(
        console=Console(as_json=as_json, quiet=quiet),
        executor=executor.value if executor else usual,
        jobs=jobs,
        dry_run=dry_run,
        force=force,
        fail_fast=fail_fast,
        diagnostics=diagnostics,
        keep_epochs=keep_epochs,
        experiment=experiment,
        device=device,
        engine=engine,
        data_dir=data_dir,
        tracking_uri=tracking_uri,
    )
    if until:
        from lenetctl.cli.until_decided import sweep_until_decided

        sweep_until_decided(path, by_key, overrides or [], (control, margin, max_seeds), how)
    elif search and count:
        from lenetctl.cli.search import search_for  # optuna

        search_for(path, by_key, overrides or [], count, search, prune, how)
    else:
        run_sweep.sweep_through(path, by_key, overrides or [], how)
