"""`lenetctl explain`: one page with a run's own net in it."""

from pathlib import Path
from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded


@guarded
def explain(
    run: options.Run,
    compare: Annotated[
        str | None,
        typer.Option("--compare", metavar="RUN", help="Another net beside it, shown the same."),
    ] = None,
    weights: options.Weights = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="FILE.html. Default: in the run."),
    ] = None,
    log: options.Log = True,
    data_dir: options.DataDir = None,
    tracking_uri: options.TrackingUri = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Make a page, one offline HTML file, in which the run's own net can be touched.

    Draw, and see every layer's maps and the probabilities; point at a value, and see the sum that
    made it; silence a channel; follow a class's score back to the pixels.
    """
    from lenetctl import artifacts
    from lenetctl.analysis.activations import InspectedNet, pair_nets
    from lenetctl.cli.console import Console
    from lenetctl.cli.find_run import find_run
    from lenetctl.cli.publishing import publish, start_logging
    from lenetctl.data.dataset import load_dataset
    from lenetctl.explain.content import describe_nets
    from lenetctl.explain.page import render_page

    console = Console(as_json=as_json, quiet=quiet)
    found = find_run(run)
    writing = start_logging(found, tracking_uri, console, output) if log else None
    nets = [InspectedNet.trained(found, weights)]
    if compare:
        other = InspectedNet.trained(find_run(compare), weights)
        nets = pair_nets(nets[0], other, (run, compare))
    title = " and ".join(inspected.name for inspected in nets)
    page = render_page(title, describe_nets(nets, load_dataset(found.spec().data, data_dir)))

    folder, name = found.insights if writing else None, "explain"
    if compare:
        name += f"-vs-{artifacts.file_stem(nets[1].name)}"
    if folder:
        folder.mkdir(exist_ok=True)
    file = output or (folder or Path()) / f"{name}.html"
    artifacts.write_output(file, page)
    size = len(page.encode()) / 1e6
    document = {"run_id": found.published.run_id, "name": found.name, "page": str(file)}
    console.result(document, f"{file} written, {size:.1f} MB: a double click opens it")
    if writing and folder:
        artifacts.copy_into(folder, [file])
        publish(found, writing, console)
