"""`lenetctl train`: one run from a spec, tracked."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded

SMOKE = ("training.epochs=1", "data.limit=1024")


@guarded
def train(
    spec: Annotated[Path | None, typer.Argument(metavar="SPEC", help=options.SPEC_HELP)] = None,
    overrides: options.Set = None,
    seed: options.Seed = None,
    device: options.Device = "auto",
    engine: options.Engine = "auto",
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume",
            metavar="[RUN]",
            help="Go on with RUN, or with the latest run of SPEC that did not get to its end.",
        ),
    ] = None,
    smoke: Annotated[
        bool, typer.Option("--smoke", help="One epoch on 1,024 images: does it run at all?")
    ] = False,
    diagnostics: options.Diagnostics = False,
    keep_epochs: options.KeepEpochs = False,
    experiment: Annotated[
        str,
        typer.Option(
            "--experiment",
            help="MLflow experiment to put the run in.",
            callback=options.experiment_name,
        ),
    ] = "lenet",
    data_dir: options.DataDir = None,
    tracking_uri: options.TrackingUri = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train one net; Ctrl-C stops it so that --resume can go on."""
    from lenetctl import specs
    from lenetctl.cli.console import Console
    from lenetctl.cli.resume import named_run, run_to_resume, spec_file_of
    from lenetctl.errors import DivergedError, UsageError

    settings = [*(overrides or []), *(SMOKE if smoke else ())]
    if seed is not None:
        settings.append(f"training.seed={seed}")
    if spec is None and not resume:
        raise UsageError("name a SPEC, or a run with --resume RUN")
    earlier = named_run(resume) if resume else None
    # the spec is checked before torch is imported: a typing error is told at once
    loaded = specs.load_spec(spec or spec_file_of(earlier), settings)
    console = Console(as_json=as_json, quiet=quiet)
    if resume is not None:
        earlier = run_to_resume(earlier, loaded, tracking_uri)
        if earlier is None:
            console.say(f"no run of {spec} to go on with: a new one begins")

    from lenetctl.cli.publishing import catch_up, closed, wait_for, writer

    writing = writer(tracking_uri, console)
    writing.start()  # it imports MLflow while this process imports torch

    from lenetctl.cli.explain import explain
    from lenetctl.cli.views.run import RunView, summary, train_document
    from lenetctl.runs.execute import execute
    from lenetctl.runs.options import RunOptions
    from lenetctl.tracking.uri import redacted

    catch_up(writing)
    reporter = RunView(console, writing)
    command = redacted(shlex.join(["lenetctl", *sys.argv[1:]]))
    try:
        with reporter:
            run = execute(
                loaded,
                RunOptions(
                    data_dir=data_dir,
                    device=device,
                    engine=engine,
                    experiment=experiment,
                    command=command,
                    diagnostics=diagnostics,
                    keep_epochs=keep_epochs,
                ),
                reporter,
                earlier,
            )
    except BaseException as error:
        if reporter.run:
            writing.notify(reporter.run)
            if isinstance(error, DivergedError):
                console.warn(explain(reporter.run, data_dir, device))
            if isinstance(error, KeyboardInterrupt):
                console.warn(
                    f"stopped; go on with: lenetctl train --resume {reporter.run.path.name}"
                )
                writing.stop(within=1)
            else:
                wait_for(writing, console, patience=10)
        raise
    writing.notify(run)
    if run.status.outcome == "plateau":
        console.warn(explain(run, data_dir, device))
    with closed(writing, [run], console):
        text = summary(run, writing.tracking_uri, command, blocks=console.has_blocks)
        console.result(train_document(run, writing.tracking_uri), text)
