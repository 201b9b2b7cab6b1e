"""Runs as a file for other programs: CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path

from lenetctl.artifacts.files import write_output
from lenetctl.errors import UsageError
from lenetctl.runs.listing.rows import RunRow, columns, plain
from lenetctl.specs.identity import Value

Table = list[dict[str, Value | None]]  # a row a run, every one with all columns


def write_table(rows: Sequence[RunRow], file: Path) -> None:
    """Write a row a run, as the suffix of `file` says.

    Raises:
        UsageError: another suffix, a file that cannot be written, or Parquet with no library to it.

    """
    if file.suffix not in FORMATS:
        raise UsageError(f"{file}: must end in {', '.join(FORMATS)}")
    names, cells = columns(rows), [row.cells for row in rows]
    table: Table = [{name: row.get(name) for name in names} for row in cells]
    write_output(file, FORMATS[file.suffix](table))


def _csv(table: Table) -> str:
    text = StringIO()
    writer = csv.DictWriter(text, list(table[0]) if table else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()


def _json(table: Table) -> str:
    return json.dumps([{name: plain(cell) for name, cell in row.items()} for row in table])


def _parquet(table: Table) -> bytes:
    try:
        import pandas as pd  # type: ignore[import-untyped]

        content: bytes = pd.DataFrame(_of_one_kind(table)).to_parquet(index=False)
    except ImportError as error:  # of pandas, or of what it writes such a file with
        raise UsageError("Parquet needs pandas and pyarrow: install them, or write .csv") from error
    return content


def _of_one_kind(table: Table) -> dict[str, list[Value | None]]:
    """Return the columns; one that has text and numbers becomes text."""
    found: dict[str, list[Value | None]] = {}
    for name in table[0] if table else []:
        cells = [row[name] for row in table]
        if {str} < {type(cell) for cell in cells if cell is not None}:
            cells = [None if cell is None else str(cell) for cell in cells]
        found[name] = cells
    return found


FORMATS: dict[str, Callable[[Table], str | bytes]] = {
    ".csv": _csv,
    ".json": _json,
    ".parquet": _parquet,
}
