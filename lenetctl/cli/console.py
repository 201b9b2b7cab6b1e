"""What a command prints: the result on stdout, everything else where it does not disturb."""

import json
import os
import sys
from typing import Any

import rich.console


class PipeSafeConsole(rich.console.Console):
    """Takes names as they are, [brackets] and :colons: too, and outlives its reader.

    So `lenetctl train … | head` trains on.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, **options)

    def on_broken_pipe(self) -> None:
        """Lose the output, where rich would lose the work."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


class Console:
    """stdout for results, stderr for the rest; with `--json` one document, with `-q` no chatter."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json, self.quiet = as_json, quiet
        self.rich = PipeSafeConsole(stderr=as_json, highlight=False, soft_wrap=True)

    @property
    def has_blocks(self) -> bool:
        """Whether the encoding has letters such as ▁ and ▀."""
        return not self.rich.options.ascii_only

    def say(self, line: str) -> None:
        """Print a line on the way, unless quiet."""
        if not self.quiet:
            self.rich.print(line)

    def warn(self, line: str) -> None:
        """Print a line to stderr, quiet or not."""
        PipeSafeConsole(stderr=True, highlight=False, soft_wrap=True).print(f"warning: {line}")

    def result(self, document: dict[str, Any], text: str) -> None:
        """Print the result: `document` with `--json`, else `text`."""
        if self.as_json:
            json.dump(document, sys.stdout)
            sys.stdout.write("\n")
        else:
            self.rich.print(text)
