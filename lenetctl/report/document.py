"""The parts of a report."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    kind: ClassVar[str] = "words"
    text: str


@dataclass(frozen=True)
class Code:
    """Lines to be typed, or a file's content."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True)
class Table:
    """Cells below titles."""

    kind: ClassVar[str] = "table"
    titles: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    """A PNG and what it shows."""

    kind: ClassVar[str] = "picture"
    png: bytes
    caption: str


Part = Words | Code | Table | Picture


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    parts: list[Part] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    """A title and its sections."""

    title: str
    sections: list[Section]
