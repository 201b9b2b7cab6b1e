"""`lenetctl eval`: what a trained net gets right, class by class."""

from typing import Annotated, Literal

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded


@guarded
def evaluate(
    run: Annotated[
        str, typer.Argument(metavar="RUN|FOLDER", help="Name, id, prefix, folder or latest.")
    ],
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", help="Another data set, or pictures in FOLDER/CLASS/."),
    ] = None,
    split: Annotated[Literal["test", "validation", "train"], typer.Option("--split")] = "test",
    weights: options.Weights = None,
    tta: Annotated[
        bool, typer.Option("--tta", help="Average with the mirror image's probabilities.")
    ] = False,
    log: Annotated[bool, typer.Option("--log/--no-log", help="Log it into the run.")] = True,
    device: options.Device = "auto",
    data_dir: options.DataDir = None,
    tracking_uri: options.TrackingUri = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure a run: loss, accuracy, a table of classes and the confusion matrix."""
    from lenetctl.cli.console import Console
    from lenetctl.cli.find_run import find_run
    from lenetctl.cli.publishing import publish, start_logging
    from lenetctl.cli.views.tables import print_classes
    from lenetctl.runs.evaluate import evaluate_run
    from lenetctl.runs.store import RunStore

    console = Console(as_json=as_json, quiet=quiet)
    RunStore().end_dead()
    found = find_run(run)
    writing = start_logging(found, tracking_uri, console) if log else None
    measured = evaluate_run(found, dataset, split, weights, data_dir, device, tta=tta)
    mirrored = ", mirrored too" if tta else ""
    text = f"{measured.dataset} {split}{mirrored}: loss {measured.loss:.4f}, "
    console.result(measured.model_dump(), f"{text}accuracy {measured.accuracy:.4f}")
    if not as_json and not quiet:
        print_classes(measured)
    if writing:
        from lenetctl.artifacts import draw_evaluation

        draw_evaluation(found, measured)
        publish(found, writing, console)
