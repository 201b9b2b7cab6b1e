"""The command line: every command in a module of its own, imported light."""

import gc
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from lenetctl.cli.commands import (
    compare,
    data,
    diagnose,
    eval,  # noqa: A004  a command, not the builtin
    init,
    ladder,
    report,
    runs,
    shapes,
    specs,
    sweep,
    sync,
    train,
    ui,
)
from lenetctl.cli.commands.look_inside import ablate, activations, explain, mistakes, predict
from lenetctl.cli.hints import HintingGroup
from lenetctl.cli.streams import make_streams_endure

app = typer.Typer(
    name="lenetctl",
    cls=HintingGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="LeNet experiments from YAML specs, tracked in MLflow.",
)


def print_versions(wanted: bool) -> None:
    """Print what a report of a fault should name, from the packages' metadata, and end."""
    if wanted:
        from importlib import metadata

        for package in ("lenetctl", "torch", "mlflow"):
            typer.echo(f"{package} {metadata.version(package)}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the versions of lenetctl, torch and MLflow.",
            callback=print_versions,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Leave everything to the command."""


app.command("train")(train.train)
app.command("eval")(eval.evaluate)
app.command("shapes")(shapes.shapes)
app.command("sweep")(sweep.sweep)
app.command("activations")(activations.activations)
app.command("predict")(predict.predict)
app.command("mistakes")(mistakes.mistakes)
app.command("explain")(explain.explain)
app.command("ablate")(ablate.ablate)
app.command("ladder")(ladder.ladder)
app.command("compare")(compare.compare)
app.command("diagnose")(diagnose.diagnose)
app.command("report")(report.report)
app.command("ui")(ui.ui)
app.command("sync")(sync.sync)
app.command("init")(init.init)
app.add_typer(runs.app, name="runs")
app.add_typer(specs.app, name="specs")
app.add_typer(data.app, name="data")


def mend_environment() -> None:
    """Set right what libraries take at its word."""
    if not os.environ.get("COLUMNS", "1").strip("0"):  # some shells say so where they do not know
        del os.environ["COLUMNS"]
    try:
        Path.home()
    except RuntimeError:  # of a user without one MLflow cannot be imported
        os.environ["HOME"] = os.devnull


def main() -> None:
    """Run the command line; `--resume` may stand without a value."""
    # by default every 700 new objects are looked through for cycles: records of thousands of runs
    gc.set_threshold(500_000)
    make_streams_endure()
    mend_environment()
    arguments = sys.argv[1:]
    for i, argument in enumerate(arguments):
        if argument == "--resume" and (i + 1 == len(arguments) or arguments[i + 1][:1] == "-"):
            arguments[i] = "--resume="
    try:
        app(args=arguments, prog_name="lenetctl")
    finally:
        # else the interpreter ends with half a second of collecting torch's objects; triton, which
        # torchvision brings in to download, calls those that are left to the system a leak
        if "triton" not in sys.modules:
            gc.freeze()
