"""Runs as lines of text, which thousands of are printed at once."""

from collections.abc import Sequence

from rich.cells import cell_len

from lenetctl.errors import printable
from lenetctl.runs.listing.rows import RunRow
from lenetctl.specs.identity import Value
from lenetctl.training.metrics import TEST_ACCURACY, VALIDATION_ACCURACY

GAP = "  "  # between columns


def listing(rows: Sequence[RunRow], more: Sequence[str] = ()) -> str:
    """Return a line of titles and a line a run, with the columns `more` behind the usual ones."""
    measured = [
        name
        for name in (VALIDATION_ACCURACY, TEST_ACCURACY)
        if any(name in r.metrics for r in rows)
    ]
    names = list(dict.fromkeys(["run", "status", "created", *measured, *more]))
    return aligned([names, *([cell_text(row.get(name)) for name in names] for row in rows)])


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Return lines whose cells stand below each other."""
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        GAP.join(
            cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def cell_text(cell: Value | None) -> str:
    """Return a cell as a table shows it, on one line, without terminal codes."""
    if isinstance(cell, float):
        return f"{cell:.6g}"
    return printable("-" if cell in (None, "") else str(cell))
