"""`lenetctl diagnose`: why a spec will not learn, or why a run has not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded
from lenetctl.errors import UsageError


@guarded
def diagnose(
    subject: Annotated[
        str, typer.Argument(metavar="RUN|SPEC", help="A run, or a spec before any training.")
    ],
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
    from lenetctl.cli.find_run import find_run_or_spec

    settings = overrides or []
    named = find_run_or_spec(subject)
    run = None if isinstance(named, Path) else named
    if run and settings:
        raise UsageError(f"-s {settings[0]}: {subject} is a run, which stays as it was trained")
    spec, origins = (run.spec(), {}) if run else specs.load_with_origins(subject, settings)

    from lenetctl.analysis.diagnosis.run import diagnose_run
    from lenetctl.analysis.diagnosis.spec import diagnose as diagnose_spec
    from lenetctl.artifacts import draw_diagnosis
    from lenetctl.cli.console import Console
    from lenetctl.cli.views import diagnosis as views
    from lenetctl.data.dataset import load_dataset
    from lenetctl.specs.yaml import nearest_origin
    from lenetctl.training.device import select_device

    console = Console(as_json=as_json, quiet=quiet)
    where = select_device(device)
    if run:
        told = diagnose_run(run, data_dir, where)
        found, table = told.spec, views.run_table(told, run.name)
        document, lines = views.run_document(told), views.run_lines(told)
    else:
        dataset = load_dataset(spec.data, data_dir)
        found = diagnose_spec(
            spec, dataset, lambda key: nearest_origin(origins, key, subject), where
        )
        title = f"{spec.name} before training, seed {spec.training.seed}"
        table, document, lines = views.layer_table(found.beginnings[0].layers, title), {}, []
    draw_diagnosis(spec, found, output)
    if not (quiet or as_json):
        console.rich.print(table)
    document |= {"name": run.name if run else spec.name}
    console.result(
        document | views.diagnosis_document(found, output),
        "\n".join([*lines, *views.diagnosis_lines(found), f"{output} written"]),
    )
