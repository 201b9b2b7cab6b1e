"""A comparison in the formats of `lenetctl compare`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import asdict, fields
from io import StringIO
from typing import Any

from lenetctl.analysis.comparison import Comparison, Row
from lenetctl.analysis.groups import SEED, Group
from lenetctl.analysis.statistics import Difference, Summary

MOST = 6  # keys told of a row that differs in many


def comparison_document(shown: Comparison) -> dict[str, Any]:
    """Return what `--json` prints."""
    return {
        "metric": shown.metric,
        "control": shown.control.name if shown.control else None,
        "rows": [
            {
                "group": row.group.name,
                "n": len(row.group.runs),
                **asdict(row.score),
                **{name: summary_document(found) for name, found in _beside(shown, row).items()},
                "difference": asdict(row.difference) if row.difference else None,
                "effect": asdict(row.effect) if row.effect else None,
                "did_not_learn": asdict(row.group.did_not_learn),
                "lost": dict(row.group.lost),
                "runs": _runs(row),
                **{key: row.group.common.get(key) for key in shown.keys},
            }
            for row in shown.rows
        ],
        "unranked": {group.name: dict(group.lost) for group in shown.unranked},
        "notes": notes(shown),
    }


def comparison_csv(shown: Comparison) -> str:
    """Return a header and a line a group; what there is none of is empty."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [f"{name}_{part}" for name in _beside(shown, shown.rows[0]) for part in ("mean", "std")]
    against = ["difference", *[field.name for field in fields(Difference)][1:]]
    effect = ["g", "g_low", "g_high"]
    learning = ["did_not_learn", "of", "share_low", "share_high", "lost"]
    first = ["group", "metric", "n", "mean", "std"]
    writer.writerow([*first, *names, *against, *effect, *learning, *shown.keys, "runs"])
    for row in shown.rows:
        writer.writerow(
            [
                row.group.name,
                shown.metric,
                len(row.group.runs),
                *(row.score.mean, row.score.std),
                *(part for found in _beside(shown, row).values() for part in _moments(found)),
                *(asdict(row.difference).values() if row.difference else [None] * len(against)),
                *(asdict(row.effect).values() if row.effect else [None] * len(effect)),
                *asdict(row.group.did_not_learn).values(),
                counted(row.group.lost),
                *(row.group.common.get(key) for key in shown.keys),
                " ".join(_runs(row)),
            ]
        )
    return text.getvalue()


def comparison_csv_of_runs(shown: Comparison) -> str:
    """Return a header and a line a run, those without a result too, which have no score."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run", "group", "seed", "state", "metric", "score", "best", "last"])
    for group in [*shown.groups, *shown.unranked]:
        for run in group.all_runs:
            state = run.lost or ("did not learn" if run.is_guessing else "finished")
            found = (one.get(shown.metric) for one in (run.scores, run.best, run.last))
            first = [run.run.path.name, group.name, run.keys[SEED], state]
            writer.writerow([*first, shown.metric, *found])
    return text.getvalue()


def comparison_markdown(shown: Comparison) -> str:
    """Return a table for a report, the notes below it."""
    first, *others = titles(shown)
    lines = [[first, "differs in", *others], ["---", "---", *["---:"] * len(others)]]
    for row in shown.rows:
        name, *numbers = cells(shown, row)
        numbers = [cell.replace("\n", " ") for cell in numbers]
        lines.append([name, ", ".join(differs_in(shown, row)), *numbers])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return "\n\n".join([table, *notes(shown)])


def differs_in(shown: Comparison, row: Row) -> list[str]:
    """Return in what a row differs, as `pool.kind=max`; of many keys the first few."""
    apart = shown.unusual(row)
    rest = len(apart) - MOST
    return [*apart[:MOST], f"and {rest} more"] if rest > 1 else apart


def titles(shown: Comparison) -> list[str]:
    """Return the titles of a table's columns."""
    found = [shown.by or "group", "n", "last epoch", "best epoch"]
    if shown.test_metric:
        found.append(shown.test_metric)
    return [*found, f"vs {shown.control.name}"] if shown.control else found


def cells(shown: Comparison, row: Row) -> list[str]:
    """Return what stands in a row below the titles."""
    found = [row.group.name, runs_told(row.group), spread(row.last), spread(row.best)]
    if shown.test_metric:
        found.append(spread(row.group.summary(shown.test_metric)))
    if shown.control is None:
        return found
    if row.difference is None:
        return [*found, "control"]
    gap = row.difference
    if gap.high is not None:
        lines = [f"{gap.mean:+.4f} ± {gap.high - gap.mean:.4f}", gap.verdict]
    else:
        several = min(len(row.group.runs), len(shown.control.runs)) > 1
        lines = [f"{gap.mean:+.4f}", "no spread" if several else None]
    return [*found, "\n".join(filter(None, lines))]


def runs_told(group: Group) -> str:
    """Return how many runs a row is of, and what became of those that count for nothing in it."""
    told = group.did_not_learn
    guessing = told.count - group.lost["diverged"]
    parts = [str(len(group.runs))]
    if guessing:
        parts.append(f"({guessing} did not learn)")
    return "\n".join([*parts, *(f"+ {count} {how}" for how, count in sorted(group.lost.items()))])


def counted(lost: Mapping[str, int]) -> str:
    """Return `2 diverged, 1 failed`."""
    return ", ".join(f"{count} {how}" for how, count in sorted(lost.items()))


def notes(shown: Comparison) -> list[str]:
    """Return what a reader must know to read the numbers rightly."""
    held_out = [run.is_validated for run in shown.runs]
    spreads = f"{shown.metric} over seeds: mean ± sample standard deviation, of n runs"
    found = [f"{spreads}; ranked by the {shown.epoch}."]
    if shown.control:
        found.append(
            f"Against {shown.control.name}: difference of what ranks ± half its 95 % "
            "confidence interval, for each row by itself: paired t over the seeds shared, "
            "Welch's t of all where fewer than two are. Better or worse is said by Holm's method "
            "over all rows, so that in 95 % of such tables or more none of these words is false."
        )
    found += [
        f"{group.name}: {group.did_not_learn} did not learn: in training they are no better "
        "than guessing, or their loss is no number."
        for group in shown.groups
        if group.did_not_learn.count
    ]
    if shown.unranked:
        some = [f"{group.name} ({counted(group.lost)})" for group in shown.unranked[:MOST]]
        more = len(shown.unranked) - len(some)
        some += [f"and {more} more"] if more else []
        found.append(f"Without any result: {', '.join(some)}.")
    of_test = shown.metric.startswith("test/")
    reporting = "; test metrics are for reporting" if of_test or shown.test_metric else ""
    found.append(f"Choose by validation{reporting}.")
    if any(held_out) and reporting:
        both = ": both columns are that value" if of_test else ""
        found.append(
            "Where images were held out the test set was read once, with the weights of the best "
            f"epoch{both}."
        )
    if not all(held_out):
        found.append(
            "Without a validation split the best epoch is the test set's own choice, "
            "which flatters it."
        )
    return found


def summary_document(summary: Summary | None) -> dict[str, float | None] | None:
    """Return mean and spread for a JSON document."""
    return asdict(summary) if summary else None


def spread(summary: Summary | None) -> str:
    """Return `0.8123 ± 0.0045`, without the deviation of a single value."""
    if summary is None:
        return "-"
    return f"{summary.mean:.4f}" + ("" if summary.std is None else f" ± {summary.std:.4f}")


def _beside(shown: Comparison, row: Row) -> dict[str, Summary | None]:
    """Return what a document tells of a row beside the score that ranks it."""
    found: dict[str, Summary | None] = {"best": row.best, "last": row.last}
    if shown.test_metric:
        found[shown.test_metric] = row.group.summary(shown.test_metric)
    return found


def _moments(summary: Summary | None) -> tuple[float | None, float | None]:
    return (summary.mean, summary.std) if summary else (None, None)


def _runs(row: Row) -> list[str]:
    return [run.run.path.name for run in row.group.runs.values()]
