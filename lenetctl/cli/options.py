"""The options that commands share."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from lenetctl.analysis import CONTROL
from lenetctl.sweeps.executors import ExecutorName
from lenetctl.training import EngineName

Run = Annotated[str, typer.Argument(metavar="RUN", help="Name, id, prefix, folder or latest.")]
SPEC_HELP = "A YAML spec, or the name of a shipped one: see `lenetctl specs ls`."
SpecPath = Annotated[Path, typer.Argument(metavar="SPEC", help=SPEC_HELP)]
Compared = Annotated[
    list[str] | None,
    typer.Argument(metavar="RUN|PATH", help="Runs, or what `sweep` takes; default: all runs."),
]
OfExperiment = Annotated[
    str | None, typer.Option("--experiment", help="The finished runs of an experiment.")
]
Control = Annotated[
    str | None,
    typer.Option("--control", metavar="GROUP", help=f"Default: {CONTROL}, where there is one."),
]
LONGEST_EXPERIMENT = 500  # characters, MLflow's limit

Set = Annotated[
    list[str] | None,
    typer.Option(
        "-s", "--set", metavar="KEY=VALUE", help="Override a key of the spec; repeatable."
    ),
]
Seeds = Annotated[
    str | None, typer.Option("--seeds", metavar="N,N,…", help="Every spec with each.")
]
Grid = Annotated[
    list[str] | None,
    typer.Option(
        "-g",
        "--grid",
        metavar="KEY=A,B,C",
        help="Values of a key; repeat it for a grid. In a search also KEY={low: A, high: B}.",
    ),
]
Seed = Annotated[int | None, typer.Option("--seed", help="Short for -s training.seed=N.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:N or mps.")]

Engine = Annotated[Literal["auto", EngineName], typer.Option("--engine", help="How a step is run.")]
Weights = Annotated[
    Literal["last", "best"] | None,
    typer.Option("--weights", help="Default: best where validation chose them."),
]
Classes = Annotated[
    str | None,
    typer.Option("--classes", metavar="A,B", help="Names or numbers; '' for none."),
]
PerClass = Annotated[int, typer.Option("--per-class", min=1, help="Test images of each class.")]
Pictures = Annotated[
    list[Path] | None,
    typer.Option("--image", metavar="FILE", help="A picture of your own; repeatable."),
]
Diagnostics = Annotated[
    bool, typer.Option("--diagnostics", help="Measure every layer after each epoch.")
]
KeepEpochs = Annotated[
    bool,
    typer.Option("--keep-epochs", help="Keep the weights of each epoch, for `lenetctl explain`."),
]


def listed(text: str | None) -> list[str] | None:
    """Return the parts of `A,B`; None where nothing was given."""
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def experiment_name(name: str | None) -> str | None:
    """Return the name of an experiment as it is, unless MLflow would not take it."""
    if name is not None and not 0 < len(name.strip()) <= LONGEST_EXPERIMENT:
        raise typer.BadParameter(f"must have 1 to {LONGEST_EXPERIMENT} characters")
    return name


Experiment = Annotated[
    str | None,
    typer.Option(
        "--experiment",
        help="MLflow experiment; default: the sweep's name.",
        callback=experiment_name,
    ),
]


def parse_executor_options(texts: list[str] | None) -> dict[str, Any]:
    """Return what `--executor-option KEY=VALUE` says by key, the values read as YAML.

    Raises:
        UsageError: there is no key, or a value that is no YAML.

    """
    from lenetctl.errors import UsageError
    from lenetctl.specs.overrides import parse_override

    for text in texts or []:
        if not text.partition("=")[0].isidentifier() or "=" not in text:
            raise UsageError(f"--executor-option {text}: write key=value, as in partition=gpu")
    return dict(map(parse_override, texts or []))


Executor = Annotated[
    ExecutorName | None,
    typer.Option("--executor", help="Default: processes where --jobs is above 1."),
]
ExecutorOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--executor-option",
        metavar="KEY=VALUE",
        help="For slurm, as partition=gpu, or ray, as fleet=64; repeatable.",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", min=1, help="Runs at a time on each device, or models of a fleet."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show the trials.")]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="Stop at the first failure.")]
Log = Annotated[bool, typer.Option("--log/--no-log", help="Log it into the run.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Only the result.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", help="Data folder, laid out as torchvision's.", envvar="LENETCTL_DATA"
    ),
]
TrackingUri = Annotated[
    str | None,
    typer.Option(
        "--tracking-uri",
        help="MLflow store; default: MLflow's own, sqlite:///mlflow.db.",
        envvar="MLFLOW_TRACKING_URI",
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "-w",
        "--where",
        metavar="CONDITION",
        help="status=FAILED, model.pool.kind=max, 'test/accuracy>0.9'; repeatable.",
    ),
]
