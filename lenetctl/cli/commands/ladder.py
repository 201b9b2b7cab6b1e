"""`lenetctl ladder`: which change gave it, from one spec to another by single changes."""

from pathlib import Path
from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded


@guarded
def ladder(
    base: Annotated[Path, typer.Argument(metavar="BASE", help=options.SPEC_HELP)],
    best: Annotated[Path, typer.Argument(metavar="BEST", help="The spec to explain.")],
    overrides: options.Set = None,
    seeds: Annotated[
        str, typer.Option("--seeds", metavar="N,N,…", help="Run every mixture with each.")
    ] = "0,1,2",
    shapley: Annotated[
        int,
        typer.Option("--shapley", metavar="N", min=0, help="Go N random orders up and down too."),
    ] = 0,
    metric: Annotated[
        str | None, typer.Option("--metric", help="What is explained; default: as in compare.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw it to FILE.png or FILE.svg.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="A line a change.")] = False,
    executor: options.Executor = None,
    executor_options: options.ExecutorOptions = None,
    jobs: options.Jobs = None,
    dry_run: options.DryRun = False,
    fail_fast: options.FailFast = False,
    experiment: options.Experiment = None,
    device: options.Device = "auto",
    engine: options.Engine = "auto",
    data_dir: options.DataDir = None,
    tracking_uri: options.TrackingUri = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Say what each change from BASE to BEST gains: added one by one, and taken away one by one."""
    from lenetctl.cli.console import Console
    from lenetctl.cli.sweeps.ladder import Outputs, climb
    from lenetctl.cli.sweeps.run_sweep import SweepOptions, usual_executor
    from lenetctl.errors import UsageError
    from lenetctl.sweeps.grid import SEED, parse_grid_option
    from lenetctl.sweeps.ladder import Ladder

    if as_csv and as_json:
        raise UsageError("--csv, --json: choose one")
    numbers = parse_grid_option(f"{SEED}={seeds}", "--seeds").values
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise UsageError(f"--seeds {seeds}: whole numbers from 0 on, as in 0,1,2")
    how = SweepOptions(
        console=Console(as_json=as_json, quiet=quiet or as_csv),
        executor=usual_executor(executor, jobs),
        executor_options=options.parse_executor_options(executor_options),
        jobs=jobs,
        dry_run=dry_run,
        force=False,
        fail_fast=fail_fast,
        diagnostics=False,
        keep_epochs=False,
        experiment=experiment,
        device=device,
        engine=engine,
        data_dir=data_dir,
        tracking_uri=tracking_uri,
    )
    found = Ladder.of(base, best, overrides or [])
    climb(found, [*dict.fromkeys(numbers)], shapley, Outputs(metric, plot, as_csv), how)
