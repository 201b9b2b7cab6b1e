"""How the files are called and written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lenetctl.errors import UsageError
from lenetctl.files import write_whole

if TYPE_CHECKING:
    pass

LONGEST = 150  # characters of a file's name


def file_stem(*parts: object) -> str:
    """Return a file's name without its suffix, of letters that every file system can write."""
    return re.sub(r"[^\w.+=-]+", "-", "-".join(map(str, parts)), flags=re.ASCII)[:LONGEST]


def write_output(file: Path, content: bytes | str) -> None:
    """Write a file where the user wants it.

    Raises:
        UsageError: `file` cannot be written.

    """
    try:
        write_whole(file, content)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error


def copy_into(folder: Path, files: Iterable[Path]) -> None:
    """Copy those of `files` that are not in `folder` yet."""
    for file in files:
        if file.parent.resolve() != folder.resolve():
            write_whole(folder / file.name, file.read_bytes())
