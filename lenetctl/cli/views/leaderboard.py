"""The ranking that ends a sweep: mean and standard deviation over the seeds of each spec."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from lenetctl.analysis.comparison import Comparison
from lenetctl.cli.views.comparison import runs_told, spread, summary_document
from lenetctl.training.metrics import TEST_ACCURACY, VALIDATION_ACCURACY

SHOWN = 25  # rows; a search can have hundreds
SHORTEST_NAME = 12  # columns
METRICS = (VALIDATION_ACCURACY, TEST_ACCURACY)


def leaderboard_document(ranking: Comparison) -> dict[str, Any]:
    """Return what `--json` prints."""
    rows = [
        {
            "name": group.name,
            "n": len(group.runs),
            **{metric: summary_document(group.summary(metric)) for metric in METRICS},
        }
        for group in ranking.groups
    ]
    return {"metric": ranking.metric, "rows": rows}


def print_leaderboard(ranking: Comparison, console: Console) -> None:
    """Print the ranking, and by what it ranks."""
    caption = _caption(ranking)
    if len(ranking.rows) > SHOWN:
        caption = f"the first {SHOWN} of {len(ranking.rows)}, {caption}"
    table = Table(
        caption=caption, box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 0, 0, 1)
    )
    table.add_column(justify="right", no_wrap=True)
    table.add_column("spec", overflow="fold", min_width=SHORTEST_NAME)
    table.add_column("n", justify="right")
    groups = ranking.groups[:SHOWN]
    measured = [metric for metric in METRICS if any(group.summary(metric) for group in groups)]
    for metric in measured:
        title = metric.replace("/accuracy", " acc")
        table.add_column(title, justify="right", no_wrap=True)
    for place, group in enumerate(groups, 1):
        accuracies = (spread(group.summary(metric)) for metric in measured)
        table.add_row(str(place), group.name, runs_told(group), *accuracies)
    console.print(table, soft_wrap=False)


def _caption(ranking: Comparison) -> str:
    if ranking.metric == VALIDATION_ACCURACY:
        return (
            "ranked by validation accuracy of the best epoch; "
            "the test set was read once, at the end"
        )
    some = any(run.is_validated for run in ranking.runs)
    missing = "not every run has a validation split" if some else "no validation split is set"
    return (
        f"ranked by test accuracy: {missing}, so choosing here peeks at the test set "
        "(-s data.validation=5000 holds images out)"
    )
