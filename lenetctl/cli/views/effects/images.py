"""Variants image by image, in the formats of `lenetctl compare --images`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from lenetctl.analysis.effects.images import Estimate, ImageComparison
from lenetctl.cli.console import Console

FLIPS = (
    "A flip is a test image that one of two nets alone gets right; all shares are of the test "
    "images, means over pairs of runs. By seeds: two seeds of one variant. Beyond: what two "
    "variants flip more than their seeds do; accuracy: the difference; each with its 95 % "
    "bootstrap interval over images and seeds."
)
NETS = "McNemar's exact test is of two nets of one seed: it tells these apart, not the variants."
NOTES = (FLIPS, NETS)


def print_images(found: Mapping[str, ImageComparison], control: str, console: Console) -> None:
    """Print a table, and the notes unless quiet."""
    table = Table()
    titles = (f"vs {control}", "gained", "lost", "by seeds", "beyond", "accuracy")
    for title in (*titles, "always right, there never", "the other way", "McNemar's p"):
        table.add_column(title, justify="left" if title == titles[0] else "right", overflow="fold")
    for name, one in found.items():
        seeds = "-" if one.by_seeds is None else f"{one.by_seeds:.4f}"
        p_values = "\n".join(f"s{seed}: {pair.p:.2g}" for seed, pair in one.pairs.items())
        table.add_row(
            *(name, f"{one.gained:.4f}", f"{one.lost:.4f}", seeds),
            *(_interval(one.beyond), _interval(one.difference, sign="+")),
            *(str(len(one.always)), str(len(one.never)), p_values),
        )
    console.rich.print(table, soft_wrap=False)
    for note in NOTES:
        console.say(note)


def images_document(found: Mapping[str, ImageComparison], control: str) -> dict[str, Any]:
    """Return what `--json` prints."""
    rows = [
        {"group": name, **asdict(one), "always": one.always.tolist(), "never": one.never.tolist()}
        for name, one in found.items()
    ]
    return {"control": control, "rows": rows, "notes": NOTES}


def image_captions(
    name: str, control: str, one: ImageComparison, labels: Sequence[str], most: int
) -> list[tuple[int, list[str]]]:
    """Return images with what stands below each: those always right, then those never."""
    sides = ((one.always, name), (one.never, control))
    return [
        (int(index), [labels[index], f"{winner} alone", f"#{index}"])
        for indices, winner in sides
        for index in indices[:most]
    ]


def _interval(one: Estimate | None, sign: str = "") -> str:
    return (
        "-"
        if one is None
        else f"{one.value:{sign}.4f}\n{one.low:{sign}.4f} to {one.high:{sign}.4f}"
    )
