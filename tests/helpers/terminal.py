"""A terminal with a command in it: what it shows, and when."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyte

LINES = 30


class Terminal:
    """Runs a command to its end; `shown` are its lines at the end, those scrolled away included."""

    def __init__(
        self,
        command: Sequence[str],
        columns: int,
        seen: Callable[["Terminal"], None] = lambda _: None,
        folder: Path | None = None,
        **environment: str,
    ) -> None:
        """`seen` is called with the terminal each time that something new is on it."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, columns, 0, 0))
        self._screen = pyte.HistoryScreen(columns, LINES, history=1000)
        stream = pyte.ByteStream(self._screen)
        unset = {"COLUMNS", "LINES", "NO_COLOR"}
        inherited = {key: value for key, value in os.environ.items() if key not in unset}
        self.first = self.last = 0.0  # seconds from the start to the first and last thing shown
        start = time.monotonic()
        self.process = subprocess.Popen(
            list(map(str, command)),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=inherited | {"TERM": "xterm-256color"} | environment,
            start_new_session=True,
        )
        os.close(theirs)
        try:
            while data := os.read(ours, 1 << 16):
                self.last = time.monotonic() - start
                self.first = self.first or self.last
                stream.feed(data)
                seen(self)
        except OSError:  # Linux' end of file of a terminal
            pass
        finally:
            os.close(ours)
        self.code = self.process.wait(60)
        self.seconds = time.monotonic() - start

    @property
    def shown(self) -> list[str]:
        """The lines so far, without what is blank at their ends."""
        gone = [
            "".join(line[column].data for column in range(self._screen.columns))
            for line in self._screen.history.top
        ]
        lines = [line.rstrip() for line in (*gone, *self._screen.display)]
        while lines and not lines[-1]:
            lines.pop()
        return lines
