"""The ranking that ends a sweep: mean and standard deviation over the seeds of each spec."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table

from lenetctl import specs
from lenetctl.runs.folder import Run

SHOWN = 25  # rows; a search can have hundreds
VALIDATION, TEST = "validation/accuracy", "test/accuracy"


def leaderboard(done: Iterable[tuple[str, Run]]) -> dict[str, Any]:
    """Return the metric that ranks and the rows, best first; `done` are variants and their runs.

    Where every run held images out, validation ranks. Test accuracies are of the weights that
    count: validation's choice, or the last ones.
    """
    groups: dict[str, list[dict[str, float]]] = {}
    names: dict[str, str] = {}
    for name, run in done:
        key = _apart_from_seed(run)
        names.setdefault(key, name)
        result = run.result
        scores = {TEST: result.final[TEST]}
        if VALIDATION in result.best:
            scores[VALIDATION] = result.best[VALIDATION]
        groups.setdefault(key, []).append(scores)
    validated = all(VALIDATION in scores for runs in groups.values() for scores in runs)
    metric = VALIDATION if validated else TEST
    rows = [
        {"name": names[key], "n": len(runs), **{m: _moments(runs, m) for m in (VALIDATION, TEST)}}
        for key, runs in groups.items()
    ]
    return {"metric": metric, "rows": sorted(rows, key=lambda row: -row[metric]["mean"])}


def print_leaderboard(board: dict[str, Any], console: Console) -> None:
    """Print the ranking, and by what it ranks."""
    caption = (
        "ranked by validation accuracy of the best epoch; the test set was read once, at the end"
        if board["metric"] == VALIDATION
        else "ranked by test accuracy: no validation split is set, so choosing here peeks at the "
        "test set (-s data.validation=5000 holds images out)"
    )
    table = Table(caption=caption)
    for title in ("", "spec", "n", "validation acc", "test acc"):
        name = title == "spec"
        table.add_column(
            title, justify="left" if name else "right", overflow="fold", no_wrap=not name
        )
    if len(board["rows"]) > SHOWN:
        table.caption = f"the first {SHOWN} of {len(board['rows'])}, {caption}"
    for place, row in enumerate(board["rows"][:SHOWN], 1):
        shown = (_shown(row[metric]) for metric in (VALIDATION, TEST))
        table.add_row(str(place), row["name"], str(row["n"]), *shown)
    console.print(table, soft_wrap=False)


def _apart_from_seed(run: Run) -> str:
    spec = run.spec()
    training = spec.training.model_copy(update={"seed": 0})
    return specs.sha256(spec.model_copy(update={"training": training}))


def _moments(runs: list[dict[str, float]], metric: str) -> dict[str, float | None] | None:
    values = [scores[metric] for scores in runs if metric in scores]
    if len(values) < len(runs):
        return None
    std = statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.fmean(values), "std": std}


def _shown(moments: dict[str, float | None] | None) -> str:
    if moments is None:
        return "-"
    spread = "" if moments["std"] is None else f" ± {moments['std']:.4f}"
    return f"{moments['mean']:.4f}{spread}"
