"""`lenetctl compare`: which variant is better, over seeds, and whether that means something."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.choose_runs import Choice, choose_runs
from lenetctl.cli.errors import guarded
from lenetctl.errors import UsageError


@guarded
def compare(
    runs: options.Compared = None,
    experiment: options.OfExperiment = None,
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", metavar="NAME", help="The finished runs on a data set."),
    ] = None,
    overrides: options.Set = None,
    seeds: options.Seeds = None,
    grid: options.Grid = None,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            help="Default: validation/accuracy where every run held images out, "
            "else test/accuracy.",
        ),
    ] = None,
    group_by: Annotated[
        str | None,
        typer.Option("--group-by", metavar="KEY", help="Group by a key: model.pool.kind."),
    ] = None,
    control: options.Control = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="FILE",
            help="Draw the curves to FILE.png or FILE.svg, where the metric was measured every "
            "epoch, the ranking to FILE-ranked, and accuracy against size to FILE-trade-off.",
        ),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="A line a group.")] = False,
    runs_csv: Annotated[bool, typer.Option("--csv-runs", help="A line a run.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="A table for a report.")] = False,
    images: Annotated[
        bool, typer.Option("--images", help="Image by image instead: what flips beyond luck.")
    ] = False,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare finished runs, all or some, grouped over seeds; of repeated runs the newest counts.

    -s, --seeds and -g are those of `sweep`, for the runs of a PATH. Runs that are not named are
    those of one data set, by default the newest run's.

    A run counts with its best epoch where a validation split chose that one, else with its last.
    Each group's difference to the control comes with a 95 % confidence interval.
    """
    from lenetctl.analysis.comparison import compare_runs
    from lenetctl.cli.console import Console, echo
    from lenetctl.cli.views import comparison as formats
    from lenetctl.cli.views.comparison_table import print_table
    from lenetctl.sweeps.grid import swept_keys

    if as_csv + runs_csv + as_markdown + as_json > 1:
        raise UsageError("--csv, --csv-runs, --markdown and --json: choose one")
    if images and (as_csv or runs_csv or as_markdown):
        raise UsageError("--images: as a table, or with --json")
    console = Console(as_json=as_json, quiet=quiet)
    choice = Choice(runs or (), experiment, dataset, swept_keys(grid, seeds), overrides or ())
    chosen = choose_runs(choice, console.warn)
    shown = compare_runs(chosen, metric, group_by, control, console.warn)
    if images:
        from lenetctl.cli.compare_images import show_images

        show_images(shown, plot, data_dir, console)
        return
    if plot:
        from lenetctl.artifacts import draw_comparison

        for file in draw_comparison(shown, plot).values():
            echo(f"{file} drawn", err=True)
    if as_json:
        console.result(formats.comparison_document(shown), "")
    elif as_csv:
        echo(formats.comparison_csv(shown).rstrip())
    elif runs_csv:
        echo(formats.comparison_csv_of_runs(shown).rstrip())
    elif as_markdown:
        echo(formats.comparison_markdown(shown))
    else:
        print_table(shown, quiet=quiet)
