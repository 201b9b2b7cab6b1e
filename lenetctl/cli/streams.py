"""stdout and stderr that may be closed, full or broken, and lack letters: the work goes on."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Any

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class EnduringFile(io.FileIO):
    """Loses what nobody takes, from then on all of it."""

    lost: OSError | None = None  # why, unless the reader just had enough

    def write(self, data: Any, /) -> int:
        """Write `data`, or lose it."""
        try:
            return super().write(data) or 0
        except OSError as error:
            self.lost = error if error.errno in FULL else None
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            return memoryview(data).nbytes


def make_streams_endure() -> None:
    """Put streams that endure everything in the place of the standard ones."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed: else a file of ours would get its number
            number = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, io.TextIOWrapper):
            continue
        stream.reconfigure(errors="backslashreplace")  # a locale may lack letters that a spec has
        raw = _raw(stream)
        if type(raw) is io.FileIO:  # no console of Windows', no stream of a test's
            stream.flush()
            file: Any = EnduringFile(raw.fileno(), "w", closefd=False)
            new = io.TextIOWrapper(
                io.BufferedWriter(file) if raw is not stream.buffer else file,
                stream.encoding,
                stream.errors,
                line_buffering=stream.line_buffering,
                write_through=stream.write_through,
            )
            setattr(sys, name, new)


def lost_output() -> OSError | None:
    """Return why some of stdout is lost, if it is, but for a reader that had enough."""
    sys.stdout.flush()
    raw = _raw(sys.stdout)
    return raw.lost if isinstance(raw, EnduringFile) else None


def _raw(stream: object) -> object:
    """Return the file below a stream, with a buffer between or without: PYTHONUNBUFFERED."""
    buffer = getattr(stream, "buffer", None)
    return getattr(buffer, "raw", buffer)
