"""Processes that a command starts: they never see a terminal's Ctrl-C and do not outlive it."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context, parent_process, resource_tracker

CONTEXT = get_context("spawn")  # a forked torch can hang


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Start a process in here: a Ctrl-C is then for the command, which says when it is to stop."""
    resource_tracker.ensure_running()  # starting it with the first process would let them through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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
