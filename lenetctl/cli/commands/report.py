"""`lenetctl report`: a lab report to hand in."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.choose_runs import Choice, choose_runs
from lenetctl.cli.errors import guarded
from lenetctl.errors import DataError, UsageError

if TYPE_CHECKING:
    from lenetctl.cli.console import Console
    from lenetctl.runs.folder import Run


@guarded
def report(
    runs: options.Compared = None,
    experiment: options.OfExperiment = None,
    control: options.Control = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="FILE.html, or FILE.md."),
    ] = None,
    log: Annotated[
        bool, typer.Option("--log/--no-log", help="Log it into the run, or the sweep.")
    ] = True,
    data_dir: options.DataDir = None,
    tracking_uri: options.TrackingUri = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write a lab report of finished runs, one offline file: question, specs, results, pictures."""
    from lenetctl import artifacts
    from lenetctl.analysis.comparison import compare_runs
    from lenetctl.cli.console import Console
    from lenetctl.cli.publishing import log_report
    from lenetctl.cli.views.report import compose_report
    from lenetctl.report.formats import to_html, to_markdown

    formats = {".html": to_html, ".md": to_markdown}
    file = output or Path("report.html")
    if file.suffix not in formats:
        raise UsageError(f"{file}: a report is saved as {' or '.join(formats)}")
    console = Console(as_json=as_json, quiet=quiet)
    chosen = choose_runs(Choice(runs or (), experiment), console.warn)
    shown = compare_runs(chosen, control=control, warn=console.warn)
    best = next(iter(shown.groups[0].runs.values())).run
    title = experiment or ", ".join(runs or []) or "All runs"
    with TemporaryDirectory() as temporary:
        pictures = {}
        if len(shown.runs) > 1:
            drawn = artifacts.draw_comparison(shown, Path(temporary, "curves.png"))
            pictures = {f"{shown.metric}, {words}": file for words, file in drawn.items()}
        of_best = _pictures(best, Path(temporary), data_dir, console)
        text = formats[file.suffix](compose_report(title, shown, pictures, of_best))
    artifacts.write_output(file, text)
    document = {"report": str(file), "runs": [run.path.name for run in chosen], "best": best.name}
    console.result(document, f"{file} written, {len(text.encode()) / 1e6:.1f} MB")
    if log:
        log_report(file, list(chosen), tracking_uri, console)


def _pictures(run: Run, folder: Path, data_dir: Path | None, console: Console) -> dict[str, Path]:
    """Return the pictures of a run by what they show; what it lacks is drawn."""
    from lenetctl import artifacts

    artifacts.draw(run)
    known = {
        f"{run.name}: loss and accuracy": run.figures / "curves.png",
        f"{run.name}: confusion on the test set": run.figures / "confusion_matrix.png",
        f"{run.name}: its most confident mistakes": run.figures / "mistakes.png",
    }
    found = {words: file for words, file in known.items() if file.exists()}
    try:
        found[f"{run.name}: activations"] = _activations(run, folder, data_dir)
    except DataError as error:
        console.warn(f"no picture of activations: {error}")
    return found


def _activations(run: Run, folder: Path, data_dir: Path | None) -> Path:
    """Draw what the first two layers make of test images, as `lenetctl activations` does.

    Raises:
        DataError: the data are not here.

    """
    from lenetctl import artifacts
    from lenetctl.analysis.activations import (
        InspectedNet,
        choose_inputs,
        choose_layers,
        compute_activations,
    )
    from lenetctl.data.dataset import load_dataset

    inspected = InspectedNet.trained(run, None)
    dataset = load_dataset(inspected.spec.data, data_dir, download=False)
    inputs = choose_inputs(dataset, None, 2, [])
    layers = choose_layers(inspected.spec, None)
    found = compute_activations(inspected, dataset, inputs, layers)
    picture = folder / "activations.png"
    artifacts.draw_activations(inputs, {inspected.name: found}, picture)
    return picture
