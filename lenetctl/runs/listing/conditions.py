"""Conditions on runs: `model.pool.kind=max`, `test/accuracy>0.9`, `status!=FINISHED`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from lenetctl.errors import UsageError
from lenetctl.runs.listing.rows import RunRow, columns
from lenetctl.specs.identity import Value

FORM = re.compile(r"\s*([^<>=!\s]+)\s*(<=|>=|!=|=|<|>)\s*(.*?)\s*")
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
UNSET = "null"  # as in a spec


@dataclass(frozen=True)
class Condition:
    """What one column is to be."""

    column: str
    comparison: str
    wanted: str

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read `COLUMN=VALUE`, or with another comparison.

        Raises:
            UsageError: it is none.

        """
        found = FORM.fullmatch(text)
        if not found:
            raise UsageError(f"{text}: not a condition (KEY=VALUE, or with one of != < <= > >=)")
        return cls(*found.groups())

    def holds(self, cell: Value | None) -> bool:
        """Return whether it is so; numbers are compared as such, text without case.

        Raises:
            UsageError: a number is to be less or more than a word.

        """
        compare = COMPARISONS[self.comparison]
        if cell is None and self.comparison not in ("=", "!="):
            return False
        if not isinstance(cell, int | float):
            return compare((UNSET if cell is None else cell).casefold(), self.wanted.casefold())
        try:
            return compare(cell, float(self.wanted))
        except ValueError:
            if self.comparison in ("=", "!="):
                return self.comparison == "!="
            raise UsageError(f"{self.column}: {self.wanted} is no number") from None


def choose_rows(rows: Sequence[RunRow], conditions: Sequence[str]) -> list[RunRow]:
    """Return the rows for which all conditions hold.

    Raises:
        UsageError: a condition cannot be read, or no run has its column.

    """
    wanted = [Condition.parse(text) for text in conditions]
    for condition in wanted:
        require_column(condition.column, rows)
    return [row for row in rows if all(one.holds(row.get(one.column)) for one in wanted)]


def require_column(name: str, rows: Sequence[RunRow]) -> None:
    """Refuse a column that no run has.

    Raises:
        UsageError: it says which one may be meant.

    """
    if not rows or any(row.get(name) is not None for row in rows):
        return
    close = get_close_matches(name, columns(rows), n=1)
    meant = f"; did you mean {close[0]}?" if close else "; `lenetctl runs ls --json` has all"
    raise UsageError(f"{name}: no run has it{meant}")
