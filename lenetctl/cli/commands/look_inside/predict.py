"""`lenetctl predict`: what a trained net takes pictures of your own for."""

from pathlib import Path
from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded

MOST_DRAWN = 100


@guarded
def predict(
    run: options.Run,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PICTURE|FOLDER", help="Pictures, or folders of them.")
    ],
    top: Annotated[int, typer.Option("--top", min=1, help="Classes to name, the likeliest.")] = 3,
    table: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Every probability as a table.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Draw the prepared pictures: .png or .svg."
        ),
    ] = None,
    weights: options.Weights = None,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Give the probabilities of each class for pictures, prepared as the training images were."""
    from lenetctl.analysis.activations import InspectedNet
    from lenetctl.analysis.known_data import dataset_of
    from lenetctl.analysis.predictions import class_names, predict_images, read_pictures
    from lenetctl.cli.console import Console
    from lenetctl.cli.find_run import find_run
    from lenetctl.cli.views.look_inside import predictions as views

    console = Console(as_json=as_json, quiet=quiet)
    inspected = InspectedNet.trained(find_run(run), weights)
    dataset = dataset_of(inspected, data_dir, with_images=False)
    pictures = read_pictures(paths, dataset.convention)
    probabilities = predict_images(inspected, dataset, pictures.images)
    classes = class_names(dataset)
    if as_json:
        about = {"name": inspected.name, "picture": str(output) if output else None}
        document = views.predictions_document(pictures, probabilities, classes)
        console.result(about | document, "")
    else:
        views.print_predicted(console, pictures, probabilities, classes, top)
    if table:
        from lenetctl.artifacts import write_output

        write_output(table, views.predictions_csv(pictures, probabilities, classes))
    if output:
        from lenetctl.artifacts import draw_gallery

        captions = [
            [file.name.encode(errors="replace").decode(), *views.likeliest(row, classes, top)]
            for file, row in zip(pictures.files, probabilities, strict=True)
        ]
        draw_gallery(pictures.images[:MOST_DRAWN], captions[:MOST_DRAWN], inspected.name, output)
        if len(captions) > MOST_DRAWN:
            console.say(f"drawn are {MOST_DRAWN} of {len(captions)} pictures")
        console.say(f"{output} written")
    if pictures.unreadable:
        for reason in pictures.unreadable.values():
            console.warn(reason)
        console.warn(f"{len(pictures.unreadable)} of the pictures could not be read")
