"""`lenetctl activations`: what the layers of a net make of images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.commands.eval import Which
from lenetctl.cli.errors import guarded
from lenetctl.errors import UsageError
from lenetctl.files import write_whole

if TYPE_CHECKING:
    from lenetctl.analysis.activations import InspectedNet


@guarded
def activations(
    net: Annotated[
        str, typer.Argument(metavar="RUN|SPEC", help="A run, or a YAML spec: untrained weights.")
    ],
    overrides: options.Set = None,
    classes: Annotated[
        str | None,
        typer.Option("--classes", metavar="A,B", help="Names or numbers; '' for none."),
    ] = None,
    per_class: Annotated[
        int, typer.Option("--per-class", min=1, help="Test images of each class.")
    ] = 2,
    layers: Annotated[
        str | None,
        typer.Option("--layers", metavar="1,2", help="Numbers, or names as `shapes` prints them."),
    ] = None,
    pictures: Annotated[
        list[Path] | None,
        typer.Option("--image", metavar="FILE", help="A picture of your own; repeatable."),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option("--compare", metavar="RUN|SPEC", help="Another net, shown the same inputs."),
    ] = None,
    weights: Annotated[
        Which | None, typer.Option("--weights", help="Default: best where validation chose them.")
    ] = None,
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
    log: Annotated[bool, typer.Option("--log/--no-log", help="Log it into the run.")] = True,
    data_dir: options.DataDir = None,
    tracking_uri: options.TrackingUri = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Draw the feature maps of some layers for test images and pictures of your own."""
    from lenetctl.analysis.activations import choose_inputs, choose_layers, net_outputs
    from lenetctl.cli.console import Screen
    from lenetctl.cli.publishing import publish
    from lenetctl.cli.views import activations
    from lenetctl.cli.views.preview import tell
    from lenetctl.data.dataset import load_dataset

    screen = Screen(as_json=as_json, quiet=quiet)
    subjects = _subjects(net, compare, overrides, weights and weights.value)
    wanted = [choose_layers(subject.spec, _listed(layers)) for subject in subjects.values()]
    if len({len(names) for names in wanted}) > 1:
        there = " and ".join(", ".join(names) for names in wanted)
        raise UsageError(f"--layers: the nets differ in how many there are: {there}")
    first = next(iter(subjects.values()))
    dataset = load_dataset(first.spec.data, data_dir)
    inputs = choose_inputs(dataset, _listed(classes), per_class, pictures or [])
    seen = {
        name: net_outputs(subject, dataset, inputs, names)
        for (name, subject), names in zip(subjects.items(), wanted, strict=True)
    }

    logged = first.run.activations if first.run and log else None
    picture = output or Path("activations.png")
    if logged:
        logged.mkdir(exist_ok=True)
        picture = output or logged / f"{activations.stem(inputs, seen, weights)}.png"
    drawn = activations.draw(inputs, seen, picture)
    kernels = activations.draw_kernels(subjects.values(), picture)
    if npz:
        activations.keep(inputs, seen, npz)
    tell(screen, inputs, seen)
    files = [file for file in (picture, *kernels, npz) if file]
    text = "\n".join(f"{file} written" for file in files)
    if drawn < len(inputs.labels):
        screen.say(f"drawn are {drawn} of {len(inputs.labels)} inputs, the first of each class")
    screen.result(activations.activations_document(first, seen, picture, kernels, npz), text)
    if first.run and logged:
        for file in files:
            if file.parent.resolve() != logged.resolve():
                write_whole(logged / file.name, file.read_bytes())
        publish(first.run, tracking_uri, screen)


def _listed(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def _subjects(
    net: str, compare: str | None, overrides: list[str] | None, weights: str | None
) -> dict[str, InspectedNet]:
    """Return the nets by the names that the picture gives them; overrides are for the first.

    Raises:
        UsageError: two nets of different data sets, or options that do not go with a net.

    """
    first = _subject(net, overrides, weights)
    if not compare:
        return {first.name: first}
    other = _subject(compare, None, weights)
    ours, theirs = ((s.spec.data.folder or s.spec.data.dataset) for s in (first, other))
    if ours != theirs:
        raise UsageError(f"--compare {compare}: it is for {theirs}, {net} for {ours}")
    name = other.name if other.name != first.name else f"{other.name} (compared)"
    return {first.name: first, name: other}


def _subject(net: str, overrides: list[str] | None, weights: str | None) -> InspectedNet:
    from lenetctl import specs
    from lenetctl.analysis.activations import InspectedNet
    from lenetctl.runs.store import RunStore

    if Path(net).suffix in (".yaml", ".yml"):
        return InspectedNet.untrained(specs.load_spec(net, overrides or []))
    if overrides:
        raise UsageError(f"-s {overrides[0]}: {net} is a run, which stays as it was trained")
    return InspectedNet.trained(RunStore().find(net), weights)
