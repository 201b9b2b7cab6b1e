"""What a command prints: the result on stdout, everything else where it does not disturb."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import rich.console
import typer
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

_signs: list[Live] = []  # signs of life on the terminal, the newest last


@contextmanager
def sign_of_life(words: str) -> Iterator[None]:
    """Show on a terminal that the command is at work, until anything else is shown."""
    console = rich.console.Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    spinner = Spinner("line" if console.options.ascii_only else "dots", Text(words))
    # it takes no stream over: what a command writes to stdout is not for stderr's terminal
    options: dict[str, Any] = {"redirect_stdout": False, "redirect_stderr": False}
    with Live(spinner, console=console, transient=True, **options) as sign:
        _signs.append(sign)
        try:
            yield
        finally:
            end_signs_of_life()


def end_signs_of_life() -> None:
    """Make room for what is shown next."""
    while _signs:
        _signs.pop().stop()


def echo(text: str, *, err: bool = False) -> None:
    """Print text for other programs, or a plain line."""
    end_signs_of_life()
    typer.echo(text, err=err)


class PlainConsole(rich.console.Console):
    """Takes names as they are, [brackets] and :colons: too."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print in place of a sign of life."""
        end_signs_of_life()
        super().print(*objects, **options)

    def set_live(self, live: Live) -> bool:
        """Show a bar or a table in place of a sign of life."""
        end_signs_of_life()
        return super().set_live(live)


class Console:
    """stdout for results, stderr for the rest; with `--json` one document, with `-q` no chatter."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json, self.quiet = as_json, quiet
        self.rich = PlainConsole(stderr=as_json, highlight=False, soft_wrap=True)
        self._errors = PlainConsole(stderr=True, highlight=False, soft_wrap=True)

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
        # on one terminal above the bar or table there, which draws over what passes it by
        shared = self.rich.is_terminal and self._errors.is_terminal
        (self.rich if shared else self._errors).print(f"warning: {line}")

    def result(self, document: dict[str, Any], text: str) -> None:
        """Print the result: `document` with `--json`, else `text`."""
        if self.as_json:
            echo(json.dumps(document))
        else:
            self.rich.print(text)
