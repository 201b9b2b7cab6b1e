"""A comparison in the formats of `lenetctl compare`."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import asdict, dataclass
from functools import cached_property
from io import StringIO
from typing import Any

from lenetctl.analysis.comparison import Group, Row, Summary, Value, differing, settings, short

MOST = 6  # keys told of a row that differs in many


@dataclass(frozen=True, eq=False)
class Comparison:
    """The rows, and what they are of."""

    metric: str
    rows: list[Row]
    control: Group | None
    title: str  # of the column of groups

    @cached_property
    def keys(self) -> list[str]:
        """The keys of the spec that differ between the rows."""
        return differing([row.group for row in self.rows])

    @cached_property
    def usual(self) -> dict[str, Value | None]:
        """What the control has for each key, or else what most rows have."""
        if self.control:
            return {key: self.control.value(key) for key in self.keys}
        values = {key: Counter(row.group.value(key) for row in self.rows) for key in self.keys}
        return {key: counts.most_common(1)[0][0] for key, counts in values.items()}

    def unusual(self, row: Row) -> list[str]:
        """Return in what a row differs, as `pool.kind=max`; of many keys the first few."""
        keys = [key for key in self.keys if row.group.value(key) != self.usual[key]]
        lacks = [f"no {short(key)}" for key in keys if row.group.values(key) == {None}]
        apart = settings(row.group, keys) + lacks
        rest = len(apart) - MOST
        return [*apart[:MOST], f"and {rest} more"] if rest > 1 else apart


def comparison_document(shown: Comparison) -> dict[str, Any]:
    """Return what `--json` prints."""
    return {
        "metric": shown.metric,
        "control": shown.control.name if shown.control else None,
        "rows": [
            {
                "group": row.group.name,
                "n": len(row.values),
                **asdict(row.last),
                "best": asdict(row.best),
                "difference": asdict(row.difference) if row.difference else None,
                "runs": _runs(row),
                **{key: row.group.value(key) for key in shown.keys},
            }
            for row in shown.rows
        ],
        "notes": notes(shown),
    }


def comparison_csv(shown: Comparison) -> str:
    """Return a header and a line a group; what there is none of is empty."""
    text = StringIO()
    fields = ("group", "metric", "n", "mean", "std", "best_mean", "best_std")
    against = ("difference", "low", "high", "paired", "verdict")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*fields, *against, *shown.keys, "runs"])
    for row in shown.rows:
        writer.writerow(
            [
                row.group.name,
                shown.metric,
                len(row.values),
                *asdict(row.last).values(),
                *asdict(row.best).values(),
                *(asdict(row.difference).values() if row.difference else [None] * len(against)),
                *(row.group.value(key) for key in shown.keys),
                " ".join(_runs(row)),
            ]
        )
    return text.getvalue()


def comparison_markdown(shown: Comparison) -> str:
    """Return a table for a report, the notes below it."""
    first, *others = titles(shown)
    lines = [[first, "differs in", *others], ["---", "---", *["---:"] * len(others)]]
    for row in shown.rows:
        name, *numbers = cells(shown, row)
        numbers = [cell.replace("\n", " ") for cell in numbers]
        lines.append([name, ", ".join(shown.unusual(row)), *numbers])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return "\n\n".join([table, *notes(shown)])


def titles(shown: Comparison) -> list[str]:
    """Return the titles of a table's columns."""
    found = [shown.title, "n", "last epoch", "best epoch"]
    return [*found, f"vs {shown.control.name}"] if shown.control else found


def cells(shown: Comparison, row: Row) -> list[str]:
    """Return what stands in a row below the titles."""
    found = [row.group.name, str(len(row.values)), _spread(row.last), _spread(row.best)]
    if shown.control is None:
        return found
    if row.difference is None:
        return [*found, "control"]
    gap = row.difference
    text = (
        f"{gap.mean:+.4f}" if gap.high is None else f"{gap.mean:+.4f} ± {gap.high - gap.mean:.4f}"
    )
    return [*found, "\n".join(filter(None, (text, gap.verdict)))]


def notes(shown: Comparison) -> list[str]:
    """Return what a reader must know to read the numbers rightly."""
    found = [f"{shown.metric} over seeds: mean ± sample standard deviation, of n runs."]
    if shown.control:
        found.append(
            f"Against {shown.control.name}: difference at the last epoch ± half its 95 % "
            "confidence interval, for each row by itself: paired t over the seeds shared, "
            "Welch's t of all where fewer than two are."
        )
    reporting = "; test metrics are for reporting" if shown.metric.startswith("test/") else ""
    found.append(f"Choose by validation{reporting}.")
    trials = [trial for row in shown.rows for trial in row.group.trials.values()]
    held_out = [trial.keys["data.validation"] != 0 for trial in trials]
    if shown.metric.startswith("test/") and any(held_out):
        found.append(
            "Where images were held out the test set was read once, with the weights of the best "
            "epoch: both columns are that value."
        )
    if not all(held_out):
        found.append(
            "Without a validation split the best epoch is the test set's own choice, "
            "which flatters it."
        )
    return found


def _spread(values: Summary) -> str:
    return f"{values.mean:.4f}" if values.std is None else f"{values.mean:.4f} ± {values.std:.4f}"


def _runs(row: Row) -> list[str]:
    return [trial.run.path.name for trial in row.group.trials.values()]
