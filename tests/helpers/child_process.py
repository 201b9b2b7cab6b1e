"""`lenetctl` in child processes to which something happens at a named point of a run's life.

The children are forked from a server that has imported torch and mlflow already, because each of
them would take seconds for that.
"""

import os
import resource
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import count
from multiprocessing import forkserver, get_context
from multiprocessing.process import _children  # type: ignore[attr-defined]
from pathlib import Path
from pydoc import locate
from typing import Any
from unittest.mock import patch

from lenetctl.tracking import writer_process

BALLAST = "ballast"  # the file that fills a disk

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["helpers.preload"])


@dataclass(frozen=True)
class Point:
    """The moment before or after the `call`th call of `function`, and what happens then.

    SIGKILL of the command before it, after it, or (torn) with half of the file that it writes on
    the disk. Or (full) the disk of the working folder is full during that call and the later ones.
    """

    function: str  # as it is looked up by whoever calls it
    call: int = 1
    when: str = "before"
    of: str = ""  # count only calls with an argument that ends so


def start(
    arguments: str,
    folder: Path,
    point: Point | None = None,
    environment: Mapping[str, str] | None = None,
    memory: int | None = None,
) -> Any:
    """Start `lenetctl ARGUMENTS` in `folder`; its output is added to `log.txt` beside that.

    `memory` is what it may ask for, in bytes, beside what it has.
    """
    log(folder).touch()
    given = (arguments, folder, point, environment or {}, memory)
    process = _CONTEXT.Process(target=_lenetctl, args=given)
    _start_server()
    process.start()
    # else each start asks all others how they ended, and the answer is given once
    _children.discard(process)
    return process


@cache
def _start_server() -> None:
    """Start what forks the processes; once, because threads share the environment."""
    with patch.dict(os.environ, PYTHONPATH=str(Path(__file__).parents[1])):  # for the preload
        forkserver.ensure_running()


def run(*args: Any, **kwargs: Any) -> int:
    """Return the exit code of a command that `start` starts; -9 if it was killed."""
    process = start(*args, **kwargs)
    process.join(600)
    return process.exitcode


def log(folder: Path) -> Path:
    """Return where the output of all commands in `folder` is."""
    return folder.with_name(f"{folder.name}.log")


def fill(folder: Path) -> None:
    """Fill the disk that `folder` is on to the last byte."""
    with (folder / BALLAST).open("ab", buffering=0) as ballast:
        for size in (1 << 16, 1):
            try:
                while True:
                    ballast.write(bytes(size))
            except OSError:
                continue


def _lenetctl(
    arguments: str,
    folder: Path,
    point: Point | None,
    environment: Mapping[str, str],
    memory: int | None,
) -> None:
    os.chdir(folder)
    output = os.open(log(folder), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(output, stream)
    for name in ("MLFLOW_TRACKING_URI", "LENETCTL_DATA"):
        os.environ.pop(name, None)
    os.environ.update(environment)
    if memory:
        taken = (
            int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
            * resource.getpagesize()
        )
        resource.setrlimit(resource.RLIMIT_AS, (taken + memory,) * 2)
    # the writer is forked, too, so that a point of its life is met in its process
    writer_process.CONTEXT = get_context("fork")  # type: ignore[assignment]
    own = writer_process.write_until_told_to_end
    writer_process.write_until_told_to_end = partial(_fresh, own)
    if point:
        _arm(point, os.getpid())
    sys.argv = ["lenetctl", *arguments.split()]
    from lenetctl.cli.app import main

    main()


def _fresh(write: Any, *given: Any) -> None:
    """Work as a writer that was not forked from a command that handles signals."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    write(*given)


def _arm(point: Point, command: int) -> None:
    owner_name, _, name = point.function.rpartition(".")
    owner = locate(owner_name)
    original = getattr(owner, name)
    calls = count(1)

    def patched(*args: Any, **kwargs: Any) -> Any:
        call = partial(original, *args, **kwargs)
        counts = not point.of or any(str(one).endswith(point.of) for one in args)
        number = next(calls) if counts else 0
        if point.when == "full" and number >= point.call:
            return _on_a_full_disk(call)
        return _killed(call, point.when, command) if number == point.call else call()

    setattr(owner, name, patched)


def _killed(call: partial[Any], when: str, command: int) -> None:
    if when == "torn":
        os.fsync = partial(_tear, command)
    if when != "before":
        call()
    _kill(command)


def _tear(command: int, file: int) -> None:
    os.ftruncate(file, os.fstat(file).st_size // 2)
    _kill(command)


def _kill(command: int) -> None:
    """End the command and, where that is another process, the writer that came to the point."""
    os.kill(command, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _on_a_full_disk(call: partial[Any]) -> Any:
    fill(Path())
    result = call()
    Path(BALLAST).unlink()
    return result
