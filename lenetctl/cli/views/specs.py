"""Values and keys of specs as tables in the terminal."""

from collections.abc import Mapping, Sequence
from os.path import normpath
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from lenetctl.cli.console import PlainConsole
from lenetctl.specs.identity import Value
from lenetctl.specs.reference.keys import KeyReference
from lenetctl.specs.reference.shipped import shipped_folder
from lenetctl.specs.yaml import Origin

Values = Mapping[str, tuple[Value, Origin | None]]


def values_document(values: Values) -> dict[str, Any]:
    """Return what `specs show --json` prints."""
    return {
        key: {
            "value": value,
            "file": origin.file if origin else None,
            "line": origin.line if origin else None,
        }
        for key, (value, origin) in values.items()
    }


def print_values(values: Values) -> None:
    """Print each key, its value, and `file:line`, or that it is the default."""
    table = _table("key", "value", "from")
    for key, (value, origin) in values.items():
        table.add_row(key, Text(str(value)), Text(_place(origin)))
    PlainConsole().print(table)


def print_keys(keys: Sequence[KeyReference]) -> None:
    """Print what each of the keys does."""
    table = _table("key", "type", "default", "meaning")
    for row in keys:
        kind = row.section.partition(" of kind ")[2]
        key = f"{row.path} ({kind})" if kind else row.path
        table.add_row(*map(Text, (key, row.type, row.default, row.meaning)))
    PlainConsole().print(table)


def _table(*titles: str) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def _place(origin: Origin | None) -> str:
    if origin is None:
        return "default"
    if origin.line is None:
        return origin.file  # an option
    file = Path(normpath(origin.file))
    if file.is_relative_to(shipped_folder()):
        file = Path("shipped") / file.relative_to(shipped_folder())
    return f"{file}:{origin.line}"
