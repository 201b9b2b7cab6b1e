"""What `lenetctl predict` prints: the likeliest classes of each picture, beside the picture."""

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Group
from rich.table import Table
from rich.text import Text

from lenetctl.analysis.predictions import Pictures
from lenetctl.cli.console import Console
from lenetctl.cli.views.preview import can_show, half_blocks
from lenetctl.errors import printable

Probabilities = NDArray[np.float32]  # (P, 10)


def likeliest(row: Probabilities, classes: Sequence[str], top: int) -> list[str]:
    """Return `coat 0.62` for each of the `top` likeliest classes."""
    order = np.argsort(-row, kind="stable")[:top]
    return [f"{classes[number]} {row[number]:.2f}" for number in order]


def print_predicted(
    console: Console,
    pictures: Pictures,
    probabilities: Probabilities,
    classes: Sequence[str],
    top: int,
) -> None:
    """Print a line for each picture; the first ones as the net got them, where the screen can."""
    console_shows = can_show(console.rich) and not console.quiet
    room = max(1, console.rich.height // (pictures.images.shape[1] // 2 + 1))
    for number, (file, row) in enumerate(zip(pictures.files, probabilities, strict=True)):
        words = likeliest(row, classes, top)
        if console_shows and number < room:
            beside = Table.grid(padding=(0, 2))
            text = [printable(str(file)), *words]
            beside.add_row(_drawn(pictures.images[number]), Text("\n".join(text)))
            console.rich.print(beside)
        else:
            console.rich.print(printable(f"{file}: {', '.join(words)}"), markup=False)


def predictions_document(
    pictures: Pictures, probabilities: Probabilities, classes: Sequence[str]
) -> dict[str, Any]:
    """Return what `--json` prints of the pictures."""
    return {
        "predictions": [
            {
                "picture": _name(file),
                "prediction": classes[row.argmax()],
                "probability": float(row.max()),
                "probabilities": dict(zip(classes, row.tolist(), strict=True)),
            }
            for file, row in zip(pictures.files, probabilities, strict=True)
        ],
        "unreadable": [
            {"picture": _name(file), "reason": reason}
            for file, reason in pictures.unreadable.items()
        ],
    }


def predictions_csv(
    pictures: Pictures, probabilities: Probabilities, classes: Sequence[str]
) -> str:
    """Return a line for each picture: file, prediction, and the probability of each class."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["picture", "prediction", *classes])
    for file, row in zip(pictures.files, probabilities, strict=True):
        writer.writerow([_name(file), classes[row.argmax()], *row.tolist()])
    return text.getvalue()


def _drawn(image: NDArray[np.uint8]) -> Group:
    opaque = np.full_like(image, 255)
    return Group(*half_blocks(np.dstack([image, image, image, opaque])))


def _name(file: object) -> str:
    """Return a file's name as text, whatever bytes it is made of."""
    return str(file).encode(errors="replace").decode()
