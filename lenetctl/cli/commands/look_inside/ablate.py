"""`lenetctl ablate`: what a net loses without a channel, or without a square of an image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded

if TYPE_CHECKING:
    from lenetctl.analysis.activations import Inputs
    from lenetctl.cli.console import Console


@guarded
def ablate(
    run: options.Run,
    layers: Annotated[
        list[str] | None,
        typer.Option(
            "--layer",
            metavar="NAME",
            help="Name or number, as for `activations`; repeatable. Default: each convolution, "
            "once activated.",
        ),
    ] = None,
    classes: options.Classes = None,
    per_class: options.PerClass = 2,
    pictures: options.Pictures = None,
    weights: options.Weights = None,
    table: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="What every class loses.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="FILE.png or FILE.svg; the images go to FILE-occlusion. Default: in the run.",
        ),
    ] = None,
    log: options.Log = True,
    data_dir: options.DataDir = None,
    tracking_uri: options.TrackingUri = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Silence each channel, and measure what every class loses.

    The channel's mean over the training images stands in its place. Of chosen test images, and
    pictures of your own, it draws which square the answer hangs on.
    """
    from lenetctl import artifacts
    from lenetctl.analysis.ablation import ablate_channels, channel_layers, occlude
    from lenetctl.analysis.activations import InspectedNet, choose_inputs, compute_activations
    from lenetctl.cli.console import Console
    from lenetctl.cli.find_run import find_run
    from lenetctl.cli.publishing import publish, start_logging
    from lenetctl.cli.views.look_inside.ablation import ablation_document, print_ablation
    from lenetctl.data.dataset import load_dataset, numbered_as

    console = Console(as_json=as_json, quiet=quiet)
    found = find_run(run)
    writing = start_logging(found, tracking_uri, console, output) if log else None
    inspected = InspectedNet.trained(found, weights)
    names = channel_layers(inspected.spec, layers)
    dataset = load_dataset(inspected.spec.data, data_dir, limit_keeps=found.record.data.limit_keeps)
    if found.classes:  # a folder's classes can have changed since
        dataset = numbered_as(dataset, found.classes)
    split = "validation" if dataset.validation else "test"
    chosen = choose_inputs(dataset, options.listed(classes), per_class, pictures or [])
    inputs = _drawn(chosen, console)
    measured = dataset.validation or dataset.test
    console.say(
        f"silencing {', '.join(names)}, channel by channel, on {len(measured.labels):,} images"
    )
    worth = ablate_channels(inspected, dataset, measured, names)
    maps = occlude(inspected, dataset, inputs.images)
    predictions = compute_activations(inspected, dataset, inputs, []).predictions

    folder = found.insights if writing else None
    if folder:
        folder.mkdir(exist_ok=True)
    stem = artifacts.file_stem("ablation", *names, *([weights] if weights else []))
    picture = output or (folder or Path()) / f"{stem}.png"
    ending = f"{picture.stem}-occlusion"
    if not output:  # other images, another file of the run
        ending = artifacts.file_stem(ending, *artifacts.counted(inputs.labels))
    occlusion = picture.with_stem(ending)
    files = {"picture": picture, "occlusion": occlusion}
    title = f"{inspected.name}: what is lost without a channel, {split} set"
    artifacts.draw_ablation(worth, dataset.classes, title, picture)
    title = f"{inspected.name}: what is lost without a square"
    artifacts.draw_occlusion(inputs.images, maps, predictions, title, occlusion)
    if table or folder:
        files["csv"] = table or (folder or Path()) / f"{stem}.csv"
        artifacts.write_output(files["csv"], artifacts.ablation_csv(worth, dataset.classes))
    if not as_json:
        print_ablation(console, worth, dataset.classes)
    document = ablation_document(inspected, split, worth, dataset.classes, predictions, files)
    console.result(document, "\n".join(f"{file} written" for file in files.values()))
    if writing and folder:
        artifacts.copy_into(folder, files.values())
        publish(found, writing, console)


def _drawn(chosen: Inputs, console: Console) -> Inputs:
    """Return as many of the images as a picture has room for, and say so where it is not all."""
    from lenetctl.analysis.activations import Inputs
    from lenetctl.artifacts import drawn_rows

    rows = drawn_rows(chosen.labels)
    if len(rows) < len(chosen.labels):
        console.say(f"covered are {len(rows)} of {len(chosen.labels)} images, the first of each")
    return Inputs(chosen.images[rows], [chosen.labels[row] for row in rows])
