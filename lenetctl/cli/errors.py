"""Every way a command can end, mapped to its exit code in one place."""

import errno
import functools
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import FrameType
from typing import NoReturn, ParamSpec, TypeVar

import typer

from lenetctl import errors
from lenetctl.cli.streams import lost_output

P = ParamSpec("P")
R = TypeVar("R")

UNPUBLISHED, SOME_FAILED, INTERRUPTED, TERMINATED = 5, 6, 130, 143
CODES: dict[type[BaseException], int] = {
    errors.UsageError: 2,
    errors.DataError: 3,
    errors.NotFoundError: 4,
    errors.TrackingError: UNPUBLISHED,
    errors.ResourceError: 7,
    MemoryError: 7,
    errors.DivergedError: 8,
    errors.BusyError: 75,
}
WORKING = {"train", "sweep"}  # what they do is kept in run folders; stdout only tells of it
DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
UNWRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS}


class Terminated(KeyboardInterrupt):
    """SIGTERM came: everything that an interrupt stops is to stop."""


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """Wrap a command so that the user's mistakes end in one line and the right exit code."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        as_json = bool(kwargs.get("as_json"))
        signal.signal(signal.SIGTERM, _terminate)
        try:
            with _alive(kwargs):
                result = command(*args, **kwargs)
            if lost := lost_output():
                _tell_lost(lost, command.__name__, as_json=as_json)
        except KeyboardInterrupt as error:
            # a third Ctrl-C would only print a traceback of the interpreter's own end
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            raise typer.Exit(TERMINATED if isinstance(error, Terminated) else INTERRUPTED) from None
        except Exception as error:
            code, message = _explained(error)
            if code is None:
                raise
            problems = error.problems if isinstance(error, errors.LenetctlError) else ()
            _tell(code, message, [problem.as_dict() for problem in problems], as_json=as_json)
        return result

    return wrapped


def _tell_lost(lost: OSError, command: str, *, as_json: bool) -> None:
    message = f"stdout: {lost.strerror}; what was to be printed is lost"
    if command not in WORKING:
        _tell(7, message, [], as_json=as_json)
    typer.echo(f"warning: {message}", err=True)


def _alive(options: dict[str, object]) -> AbstractContextManager[None]:
    """Show on a terminal, before torch is imported, that the command has begun."""
    if options.get("quiet") or not sys.stderr.isatty():
        return nullcontext()
    words = "one moment"
    if os.environ.get("TERM") != "dumb":  # there the sign does not move, and takes no line back
        sys.stderr.write(f"{words}\r")  # which the sign overwrites: importing rich takes 0.1 s
        sys.stderr.flush()
    from lenetctl.cli.console import sign_of_life

    return sign_of_life(words)


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated


def _explained(error: Exception) -> tuple[int | None, str]:
    """Return exit code and message; None for what is a bug of ours."""
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        return 7, f"{error.filename or 'the disk'}: {error.strerror}; make room and resume"
    if isinstance(error, OSError) and error.errno in UNWRITABLE:
        return 2, f"{error.filename}: cannot be written: {error.strerror}"
    if isinstance(error, OSError) and not _has_working_directory():
        return 2, "the working directory is gone or cannot be read: cd into another"
    if isinstance(error, MemoryError):
        return 7, "out of memory"
    code = next((c for kind, c in CODES.items() if isinstance(error, kind)), None)
    return code, str(error)


def _has_working_directory() -> bool:
    try:
        return Path.cwd().is_dir()
    except OSError:
        return False


def _tell(code: int, message: str, problems: list[dict[str, object]], *, as_json: bool) -> NoReturn:
    if as_json:
        document = {"error": {"code": code, "message": message, "problems": problems}}
        typer.echo(json.dumps(document), err=True)
    else:
        typer.echo(f"error: {message}", err=True)
    raise typer.Exit(code)
