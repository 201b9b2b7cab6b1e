"""`lenetctl activations`: what the layers of a net make of images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded
from lenetctl.errors import UsageError

if TYPE_CHECKING:
    from lenetctl.analysis.activations import InspectedNet


@guarded
def activations(
    net: Annotated[
        str, typer.Argument(metavar="RUN|SPEC", help="A run, or a spec: untrained weights.")
    ],
    overrides: options.Set = None,
    classes: options.Classes = None,
    per_class: options.PerClass = 2,
    layers: Annotated[
        str | None,
        typer.Option("--layers", metavar="1,2", help="Numbers, or names as `shapes` prints them."),
    ] = None,
    pictures: options.Pictures = None,
    compare: Annotated[
        str | None,
        typer.Option("--compare", metavar="RUN|SPEC", help="Another net, shown the same inputs."),
    ] = None,
    weights: options.Weights = None,
    npz: Annotated[
        Path | None, typer.Option("--npz", metavar="FILE", help="Keep the raw arrays.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="FILE.png or FILE.svg; the kernels go to FILE-kernels. Default: in the run's "
            "folder, named by what it shows; without a run activations.png.",
        ),
    ] = None,
    log: options.Log = True,
    data_dir: options.DataDir = None,
    tracking_uri: options.TrackingUri = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Draw the feature maps of some layers for test images and pictures of your own."""
    from lenetctl import artifacts
    from lenetctl.analysis.activations import choose_inputs, choose_layers, compute_activations
    from lenetctl.analysis.known_data import dataset_of
    from lenetctl.cli.console import Console
    from lenetctl.cli.publishing import publish, start_logging
    from lenetctl.cli.views.look_inside.activations import activations_document, print_predictions

    console = Console(as_json=as_json, quiet=quiet)
    nets = _nets(net, compare, overrides, weights)
    names = [choose_layers(inspected.spec, options.listed(layers)) for inspected in nets]
    if len({len(wanted) for wanted in names}) > 1:
        there = " and ".join(", ".join(wanted) for wanted in names)
        raise UsageError(f"--layers: the nets differ in how many there are: {there}")
    first, writing = nets[0], None
    if first.run and log:
        writing = start_logging(first.run, tracking_uri, console, output)
    shown = [] if pictures and classes is None else options.listed(classes)
    dataset = dataset_of(first, data_dir, with_images=shown != [])
    inputs = choose_inputs(dataset, shown, per_class, pictures or [])
    found = {
        inspected.name: compute_activations(inspected, dataset, inputs, wanted)
        for inspected, wanted in zip(nets, names, strict=True)
    }

    folder = first.run.activations if first.run and writing else None
    picture = output or Path("activations.png")
    if folder:
        folder.mkdir(exist_ok=True)
        picture = output or folder / f"{artifacts.activations_stem(inputs, found, weights)}.png"
    drawn = artifacts.draw_activations(inputs, found, picture)
    kernels = artifacts.draw_kernels(nets, picture)
    if npz:
        artifacts.write_activations(inputs, found, npz)
    print_predictions(console, inputs, found)
    files = [file for file in (picture, *kernels, npz) if file]
    text = "\n".join(f"{file} written" for file in files)
    if drawn < len(inputs.labels):
        console.say(f"drawn are {drawn} of {len(inputs.labels)} inputs, the first of each class")
    console.result(activations_document(first, found, picture, kernels, npz), text)
    if first.run and writing and folder:
        artifacts.copy_into(folder, files)
        publish(first.run, writing, console)


def _nets(
    net: str, compare: str | None, overrides: list[str] | None, weights: str | None
) -> list[InspectedNet]:
    """Return the nets, each with a name of its own; overrides are for the first.

    Raises:
        UsageError: two nets of different data sets, or options that do not go with a net.

    """
    from lenetctl.analysis.activations import pair_nets

    first = _net(net, overrides, weights)
    if not compare:
        return [first]
    return pair_nets(first, _net(compare, None, weights), (net, compare))


def _net(net: str, overrides: list[str] | None, weights: str | None) -> InspectedNet:
    from lenetctl import specs
    from lenetctl.analysis.activations import InspectedNet
    from lenetctl.cli.find_run import find_run_or_spec

    found = find_run_or_spec(net)
    if isinstance(found, Path):
        return InspectedNet.untrained(specs.load_spec(found, overrides or []))
    if overrides:
        raise UsageError(f"-s {overrides[0]}: {net} is a run, which stays as it was trained")
    return InspectedNet.trained(found, weights)
