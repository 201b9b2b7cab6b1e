"""Processes that a command starts: they never see a terminal's Ctrl-C and do not outlive it.

What Windows has no counterpart of is asked for by name: `getattr(signal, "pthread_sigmask", None)`.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection
from typing import Any

import psutil

CONTEXT = get_context("spawn")  # a forked torch can hang
END_GRACE = 3.0  # seconds from asking a process to end to ending it


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Start a process in here: a Ctrl-C is then for the command, which says when it is to stop."""
    set_mask = getattr(signal, "pthread_sigmask", None)
    if set_mask is None:  # Windows: the process ignores them itself, see `ignore_interrupts`
        yield
        return
    resource_tracker.ensure_running()  # starting it with the first process would let them through
    before = set_mask(getattr(signal, "SIG_BLOCK"), {signal.SIGINT})  # noqa: B009  not on Windows
    try:
        yield
    finally:
        set_mask(getattr(signal, "SIG_SETMASK"), before)  # noqa: B009


def ignore_interrupts() -> None:
    """Let this process, started by a command, leave a terminal's Ctrl-C to that command."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def pipe() -> tuple[Connection, Connection]:
    """Return the two ends of a pipe between processes."""
    ours: Any
    theirs: Any
    ours, theirs = CONTEXT.Pipe()  # on Windows of another class with the same methods
    return ours, theirs


def end_tree(process_id: int) -> None:
    """End a process and all that it started: asked first, then for good."""
    try:
        process = psutil.Process(process_id)
        family = [*process.children(recursive=True), process]
    except psutil.NoSuchProcess:
        return
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.terminate()
    _, left = psutil.wait_procs(family, timeout=END_GRACE)
    for member in left:
        with suppress(psutil.NoSuchProcess):
            member.kill()


def end_with_parent(grace: float) -> None:
    """End this process when the one that started it is gone, however that ended.

    It is sent SIGTERM, and ended for good `grace` seconds later.
    """

    def wait() -> None:
        parent = parent_process()
        assert parent is not None  # noqa: S101
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(grace)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
