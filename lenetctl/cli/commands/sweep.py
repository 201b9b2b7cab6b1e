"""`lenetctl sweep`: many runs, planned first, done once each, ranked last."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lenetctl.analysis import CONTROL
from lenetctl.cli import options
from lenetctl.cli.errors import guarded
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
    seeds_per_trial: Annotated[
        int,
        typer.Option("--seeds-per-trial", metavar="N", min=1, help="Runs of a trial in a search."),
    ] = 1,
    confirm: Annotated[
        int,
        typer.Option(
            "--confirm", metavar="N", min=0, help="Fresh seeds for the winner of a search."
        ),
    ] = 3,
    storage: Annotated[
        str | None,
        typer.Option(
            "--storage",
            metavar="URI",
            help="Database of a search; default: sqlite:///optuna.db beside MLflow's.",
            envvar="OPTUNA_STORAGE",
        ),
    ] = None,
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
    executor: options.Executor = None,
    executor_options: options.ExecutorOptions = None,
    jobs: options.Jobs = None,
    dry_run: options.DryRun = False,
    force: Annotated[bool, typer.Option("--force", help="Run again what is done.")] = False,
    fail_fast: options.FailFast = False,
    diagnostics: options.Diagnostics = False,
    keep_epochs: options.KeepEpochs = False,
    experiment: options.Experiment = None,
    device: options.Device = "auto",
    engine: options.Engine = "auto",
    data_dir: options.DataDir = None,
    tracking_uri: options.TrackingUri = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Run every spec of a folder, or a grid; what is done is skipped, what was stopped goes on."""
    from lenetctl.cli.console import Console
    from lenetctl.cli.sweeps import run_sweep
    from lenetctl.errors import UsageError
    from lenetctl.sweeps.grid import swept_keys

    if (search is None) != (count is None):
        raise UsageError("--search tpe|random and --trials N go together")
    if until and (search or seeds is not None or force):
        raise UsageError(
            "--until decided chooses seeds itself: leave out --search, --seeds, --force"
        )
    by_key = swept_keys(grid, seeds)
    how = run_sweep.SweepOptions(
        console=Console(as_json=as_json, quiet=quiet),
        executor=run_sweep.usual_executor(executor, jobs),
        executor_options=options.parse_executor_options(executor_options),
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
    if diagnostics and how.in_fleets:
        raise UsageError("--diagnostics: a fleet trains its nets as one: use another --executor")
    if until:
        from lenetctl.cli.sweeps.until_decided import sweep_until_decided

        sweep_until_decided(path, by_key, overrides or [], (control, margin, max_seeds), how)
    elif search and count:
        from lenetctl.cli.sweeps.search import SearchOptions, search_for  # optuna

        wanted = SearchOptions(count, search, prune, seeds_per_trial, confirm, storage)
        search_for(path, by_key, overrides or [], wanted, how)
    else:
        run_sweep.sweep_through(path, by_key, overrides or [], how)
