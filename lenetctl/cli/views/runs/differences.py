"""In what runs differ, side by side."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from lenetctl.cli.console import PlainConsole
from lenetctl.cli.views.runs.listing import cell_text
from lenetctl.runs.listing.rows import RunRow, plain
from lenetctl.specs.differences import FlatSpec, differing_keys

PARTS = ("spec", "environment", "metrics")


def differences_document(rows: Sequence[RunRow]) -> dict[str, Any]:
    """Return what `--json` prints: each key that differs, with its value in every run."""
    return {"runs": [row.run.path.name for row in rows], **{p: _part(rows, p) for p in PARTS}}


def print_differences(rows: Sequence[RunRow]) -> None:
    """Print a table for people: a line a key, a column a run."""
    table = Table()
    table.add_column("", overflow="fold")
    for row in rows:
        table.add_column(row.run.path.name, overflow="fold")
    for part in PARTS:
        found = _part(rows, part)
        for key, values in (found or {f"the same {part}": []}).items():
            table.add_row(key, *map(cell_text, values))
        table.add_section()
    PlainConsole().print(table)


def _part(rows: Sequence[RunRow], part: str) -> dict[str, list[Any]]:
    """Return what differs in one part of the rows: spec, environment or metrics."""
    flat: list[FlatSpec] = [getattr(row, part) for row in rows]
    return {key: [plain(one.get(key)) for one in flat] for key in differing_keys(flat)}
