"""`lenetctl mistakes`: the images that a net gets wrong."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded


@guarded
def mistakes(
    run: options.Run,
    split: Annotated[Literal["test", "validation", "train"], typer.Option("--split")] = "test",
    truth: Annotated[
        str | None, typer.Option("--class", metavar="CLASS", help="Only images of this class.")
    ] = None,
    prediction: Annotated[
        str | None, typer.Option("--as", metavar="CLASS", help="Only images taken for this class.")
    ] = None,
    show: Annotated[
        Literal["wrong", "unsure", "suspects"],
        typer.Option(
            "--show",
            help="wrong; right but unsure; or suspects: labels that no seed gets right.",
        ),
    ] = "wrong",
    top: Annotated[int, typer.Option("--top", min=1, max=400, help="How many.")] = 25,
    weights: options.Weights = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="FILE.png or FILE.svg. Default: in the run."
        ),
    ] = None,
    log: options.Log = True,
    data_dir: options.DataDir = None,
    tracking_uri: options.TrackingUri = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Draw the images that a net gets wrong, the most confident first."""
    from lenetctl import artifacts
    from lenetctl.analysis.activations import InspectedNet, class_number
    from lenetctl.analysis.mistakes import same_but_for_seed, verdicts
    from lenetctl.analysis.predictions import class_names, predict_images
    from lenetctl.cli.console import Console
    from lenetctl.cli.find_run import find_run
    from lenetctl.cli.publishing import publish, start_logging
    from lenetctl.cli.views.look_inside.mistakes import mistakes_document, mistakes_text, title_of
    from lenetctl.data.dataset import load_dataset
    from lenetctl.errors import UsageError

    console = Console(as_json=as_json, quiet=quiet)
    found = find_run(run)
    dataset = load_dataset(found.spec().data, data_dir)
    images = getattr(dataset, split)
    if images is None:
        raise UsageError(f"--split validation: {found.path.name} held no images out")
    writing = start_logging(found, tracking_uri, console, output) if log else None
    wanted = class_number(dataset, truth, "--class") if truth else None
    taken = class_number(dataset, prediction, "--as") if prediction else None
    runs = same_but_for_seed(found, console.warn) if show == "suspects" else [found]
    pixels, labels = images.images.numpy(), images.labels.numpy()
    probabilities = [
        predict_images(InspectedNet.trained(one, weights), dataset, pixels) for one in runs
    ]
    every = verdicts(probabilities, labels, show, wanted, taken)
    shown, classes = every[:top], class_names(dataset)

    folder, picture = found.insights if writing else None, None
    if shown:
        picture = output or Path("mistakes.png")
        if folder:
            folder.mkdir(exist_ok=True)
            choices = [choice for choice in (truth, prediction, top, weights) if choice]
            stem = artifacts.file_stem("mistakes", split, show, *choices)
            picture = output or folder / f"{stem}.png"
        captions = [artifacts.mistake_caption(one, classes) for one in shown]
        title = title_of(found, show, split)
        artifacts.draw_gallery(pixels[[one.index for one in shown]], captions, title, picture)
    text = mistakes_text(shown, len(every), len(labels), show, classes)
    console.result(
        mistakes_document(found, split, show, len(every), shown, classes, picture),
        f"{text}\n{picture} written" if picture else text,
    )
    if writing and picture and folder:
        artifacts.copy_into(folder, [picture])
        publish(found, writing, console)
