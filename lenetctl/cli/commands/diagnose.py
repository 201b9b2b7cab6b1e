"""`lenetctl diagnose`: why a spec will not learn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded


@guarded
def diagnose(
    subject: Annotated[str, typer.Argument(metavar="SPEC", help="A YAML spec.")],
    overrides: options.Set = None,
    device: options.Device = "auto",
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="FILE", help="The picture: FILE.png or FILE.svg."),
    ] = Path("diagnosis.png"),
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Say, in seconds, what keeps a net from learning: signal, gradient, learning rate."""
    from lenetctl import specs
    from lenetctl.specs.load import find_origin

    settings = overrides or []
    spec = specs.load_spec(subject, settings)

    from lenetctl.analysis.diagnosis import diagnose as diagnosed
    from lenetctl.artifacts import draw_diagnosis
    from lenetctl.cli.console import Console
    from lenetctl.cli.views.diagnosis import diagnosis_document, diagnosis_lines, layer_table
    from lenetctl.data.dataset import load_dataset
    from lenetctl.training.device import select_device

    console = Console(as_json=as_json, quiet=quiet)
    where, dataset = select_device(device), load_dataset(spec.data, data_dir)
    found = diagnosed(spec, dataset, lambda key: find_origin(subject, settings, key), where)
    draw_diagnosis(spec, found, output)
    if not (quiet or as_json):
        title = f"{spec.name} before training, seed {spec.training.seed}"
        console.rich.print(layer_table(found.beginnings[0].layers, title))
    lines = [*diagnosis_lines(found), f"{output} written"]
    console.result({"name": spec.name, **diagnosis_document(found, output)}, "\n".join(lines))
