"""What `lenetctl mistakes` prints: a line for each image, and a document."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lenetctl.analysis.mistakes import Show, Verdict
from lenetctl.runs.folder import Run

TITLES: dict[Show, str] = {
    "wrong": "wrong on the {} set, the most confident first",
    "unsure": "right on the {} set, the least confident first",
    "suspects": "labels of the {} set that no seed gets right",
}


def title_of(run: Run, show: Show, split: str) -> str:
    """Return what stands above the picture."""
    return f"{run.name}: {TITLES[show].format(split)}"


def mistakes_text(
    shown: Sequence[Verdict], count: int, of: int, show: Show, classes: Sequence[str]
) -> str:
    """Return a line for each image that is shown, and how many there are among `of` images."""
    lines = [
        f"#{one.index}  {classes[one.truth]} → {classes[one.prediction]}  {one.probability:.3f}"
        for one in shown
    ]
    words = {"wrong": "wrong", "unsure": "right", "suspects": "wrong by every seed"}[show]
    return "\n".join([*lines, f"{count:,} of {of:,} images are {words}, {len(shown)} are shown"])


def mistakes_document(
    run: Run,
    split: str,
    show: Show,
    count: int,
    shown: Sequence[Verdict],
    classes: Sequence[str],
    picture: Path | None,
) -> dict[str, Any]:
    """Return what `--json` prints."""
    return {
        "run_id": run.published.run_id,
        "name": run.name,
        "split": split,
        "show": show,
        "count": count,
        "images": [
            {
                "index": one.index,
                "class": classes[one.truth],
                "prediction": classes[one.prediction],
                "probability": one.probability,
            }
            for one in shown
        ],
        "picture": str(picture) if picture else None,
    }
