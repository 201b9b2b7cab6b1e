"""What each change contributes, in the formats of `lenetctl ladder`."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from io import StringIO
from math import isnan
from statistics import fmean
from typing import Any

from rich.table import Table

from lenetctl.analysis.effects.ladder import Contribution, Rung, remainder
from lenetctl.analysis.statistics import Difference
from lenetctl.cli.console import Console
from lenetctl.sweeps.ladder import Change, Ladder, Mixture

LONGEST = 24  # letters of a value in a table
# see `figures.waterfall`
Part = tuple[str, float, tuple[float, float] | None, Sequence[float]]
WAYS = ("up", "down", "mean")


@dataclass(frozen=True, eq=False)
class Climbed:
    """A ladder and what its runs came to."""

    ladder: Ladder
    metric: str
    rungs: Mapping[Mixture, Rung]
    parts: Mapping[str, Contribution]  # by change
    whole: Difference
    ways: int

    def score(self, mixture: Mixture) -> float:
        """Return the mean over the seeds of a mixture."""
        return fmean(self.rungs[mixture].scores.values())


def print_ladder(shown: Climbed, console: Console) -> None:
    """Print a table, and the notes unless quiet."""
    table = Table()
    for title in ("change", "up", "down", f"mean of {shown.ways} ways", ""):
        words = title in ("change", "")
        table.add_column(
            title,
            justify="left" if words else "right",
            overflow="fold",
            no_wrap=title != "change",
        )
    for name, part in shown.parts.items():
        sides = " → ".join(_values(shown.ladder.changes[name]))
        alone = (_told(replace(gain, high=None)) for gain in (part.up, part.down))
        table.add_row(f"{name}\n{sides}", *alone, _told(part.mean), _verdict(part))
    table.add_section()
    ends = (
        f"{spec.name} {shown.score(mixture):.4f}"
        for spec, mixture in (
            (shown.ladder.base, frozenset[str]()),
            (shown.ladder.best, shown.ladder.all_changes),
        )
    )
    table.add_row(" → ".join(ends), "", "", _told(shown.whole), shown.whole.verdict or "")
    console.rich.print(table, soft_wrap=False)
    for note in notes(shown):
        console.say(note)


def ladder_document(shown: Climbed) -> dict[str, Any]:
    """Return what `--json` prints of the result."""
    return {
        "metric": shown.metric,
        "ways": shown.ways,
        "changes": [
            {
                "change": name,
                "before": dict(shown.ladder.changes[name].before),
                "after": dict(shown.ladder.changes[name].after),
                **{way: _as_dict(getattr(part, way)) for way in WAYS},
                "ways": part.ways,
                "did_not_learn": part.did_not_learn,
            }
            for name, part in shown.parts.items()
        ],
        "difference": _as_dict(shown.whole),
        "mixtures": [
            {"changes": sorted(mixture), **asdict(rung)} for mixture, rung in shown.rungs.items()
        ],
        **impossible_document(shown.ladder),
        "notes": notes(shown),
    }


def impossible_document(ladder: Ladder) -> dict[str, Any]:
    """Return the mixtures that make no net, and why."""
    found = [{"changes": sorted(m), "reason": why} for m, why in ladder.impossible.items()]
    return {"impossible": found}


def ladder_csv(shown: Climbed) -> str:
    """Return a header and a line a change; what is not known is empty."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    bounds = [f"{way}{part}" for way in WAYS for part in ("", "_low", "_high")]
    writer.writerow(["change", "before", "after", "metric", *bounds, "p", "p_holm", "verdict"])
    for name, part in shown.parts.items():
        change = shown.ladder.changes[name]
        values = (json.dumps(dict(side)) for side in (change.before, change.after))
        gains = [_as_dict(getattr(part, way)) for way in WAYS]
        cells = (gain[key] for gain in gains for key in ("mean", "low", "high"))
        last = (gains[-1][key] for key in ("p", "p_holm", "verdict"))
        writer.writerow([name, *values, shown.metric, *cells, *last])
    return text.getvalue()


def waterfall_parts(shown: Climbed) -> dict[str, Any]:
    """Return what `figures.waterfall` draws."""
    parts: list[Part] = []
    for name, part in shown.parts.items():
        gain = part.mean
        interval = None if gain.low is None or gain.high is None else (gain.low, gain.high)
        parts.append((name, gain.mean, interval, (part.up.mean, part.down.mean)))
    if abs(rest := remainder(shown.whole, shown.parts)) > 1e-9:
        parts.append(("not told apart", rest, None, ()))
    best = shown.ladder.all_changes
    return {
        "start": (shown.ladder.base.name, shown.score(frozenset())),
        "parts": parts,
        "end": (shown.ladder.best.name, shown.score(best)),
        "metric": shown.metric,
        "title": f"{shown.ladder.base.name} to {shown.ladder.best.name}, change by change",
    }


def notes(shown: Climbed) -> list[str]:
    """Return what a reader must know to read the numbers rightly."""
    read = (
        f"{shown.metric}: what a change gains, mean over seeds ± half the 95 % interval. "
        "Up: added to BASE and the changes above it; down: taken away from BEST, those above it "
        "gone. Where the two differ, it depends on the other changes. The verdict is on the mean, "
        "by Holm's method over all changes."
    )
    found = [read]
    ends = (shown.rungs[frozenset()], shown.rungs[shown.ladder.all_changes])
    seeds = [rung.scores.keys() for rung in ends]
    if len(seeds[0] & seeds[1]) < 2:
        found.append("One seed tells nothing of luck: give several, as by --seeds 0,1,2.")
    for mixture, rung in shown.rungs.items():
        told = {"did not learn": rung.did_not_learn, "have no result": rung.lost}
        runs = len(rung.scores) + rung.lost
        some = [f"{count} of {runs} {how}" for how, count in told.items() if count]
        if some:
            found.append(f"{named(mixture)}: {', '.join(some)}.")
    if any(part.did_not_learn for part in shown.parts.values()):
        found.append("Beside runs that did not learn a mean has no interval and no verdict.")
    return found


def named(mixture: Mixture) -> str:
    """Return a mixture in words."""
    return f"with {', '.join(sorted(mixture))}" if mixture else "BASE"


def _verdict(part: Contribution) -> str:
    words = "some did\nnot learn" if part.did_not_learn else part.mean.verdict
    return words or ""


def _values(change: Change) -> tuple[str, str]:
    """Return the values before and after in short; of several keys with the keys."""
    return _side(change.before), _side(change.after)


def _side(values: Mapping[str, Any]) -> str:
    several = len(values) > 1
    parts = (
        f"{k.rpartition('.')[2]}={_text(v)}" if several else _text(v) for k, v in values.items()
    )
    text = ", ".join(parts)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _text(value: Any) -> str:
    if isinstance(value, dict) and "kind" in value:
        value = value["kind"]
    if isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        return str(len(value))  # convolutions, or augmentations
    if value == []:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _told(gain: Difference) -> str:
    if isnan(gain.mean):
        return "-"
    around = "" if gain.high is None else f" ± {gain.high - gain.mean:.4f}"
    return f"{gain.mean:+.4f}{around}"


def _as_dict(gain: Difference) -> dict[str, Any]:
    found = asdict(gain)
    return found | {"mean": None} if isnan(gain.mean) else found
