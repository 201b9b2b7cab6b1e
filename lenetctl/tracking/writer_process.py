"""The writer to MLflow in a process of its own, so that training never waits for Python's lock.

Importing MLflow takes seconds, and each call of it and each picture holds that lock for a while.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path

from lenetctl.processes import CONTEXT, end_with_parent, ignore_interrupts, interrupts_held, pipe
from lenetctl.runs.folder import Run
from lenetctl.tracking.writer import Writer


@dataclass(frozen=True)
class _Close:
    patience: float  # seconds, as for `Writer.close`
    last_attempt: float


@dataclass(frozen=True)
class _Stop:
    within: float  # seconds


class WriterProcess:
    """A `Writer` that works elsewhere; a process that dies leaves its work to `lenetctl sync`."""

    def __init__(
        self,
        tracking_uri: str,
        prepare: Callable[[Run], None],
        warn: Callable[[str], None],
        imports: Sequence[str],
    ) -> None:
        """As for a `Writer`; `prepare` is a function of a module.

        `imports` are the modules that a finished run takes, imported while training goes on.
        """
        self.tracking_uri = tracking_uri
        self._prepare, self.warn, self._imports = prepare, warn, imports
        self._pipe: Connection | None = None
        self._is_done = False  # it said its last word
        self.disk_is_full = False  # as the last attempt met it; known once it is closed

    def start(self) -> None:
        """Start the process, unless it is at work: it imports MLflow while this one goes on."""
        if self._pipe:
            return
        self._pipe, theirs = pipe()
        given = (theirs, self.tracking_uri, self._prepare, self._imports)
        self._process = CONTEXT.Process(
            target=write_until_told_to_end, args=given, name="mlflow", daemon=True
        )
        try:
            with interrupts_held():
                self._process.start()
        except BlockingIOError as error:  # no more processes are allowed
            self.warn(f"MLflow's writer cannot be started: {error.strerror}")
        theirs.close()  # so that its death is an end of file here
        self._listener = threading.Thread(target=self._listen, args=(self._pipe,), daemon=True)
        self._listener.start()

    def notify(self, run: Run) -> None:
        """Say that `run` has something new; returns at once."""
        self.start()
        self._send(run)

    def close(self, patience: float = 30.0, last_attempt: float = 30.0) -> None:
        """Publish what is left, as `Writer.close` does; nothing where nothing was begun."""
        if self._pipe:
            self._send(_Close(patience, last_attempt))
            self._listener.join()
            if self._process.pid and not self._is_done:
                self.warn("MLflow's writer ended before its work was done")
            self._end()

    def stop(self, within: float) -> None:
        """Publish what can be published `within` so many seconds; `sync` publishes the rest."""
        if self._pipe:
            self._send(_Stop(within))
            self._listener.join(within)
            self._end()

    def _end(self) -> None:
        if self._process.pid:  # it could be started
            self._process.kill()
            self._process.join()

    def _send(self, message: object) -> None:
        with suppress(OSError):  # it is dead
            self._pipe.send(message)  # type: ignore[union-attr]

    def _listen(self, pipe: Connection) -> None:
        with suppress(EOFError, OSError):
            while isinstance(said := pipe.recv(), str):
                self.warn(said)
            self.disk_is_full, self._is_done = said, True


def write_until_told_to_end(
    connection: Connection,
    tracking_uri: str,
    prepare: Callable[[Run], None],
    imports: Sequence[str],
) -> None:
    """Be the process: publish the runs that come through `connection`, then end as it says."""
    end_with_parent(grace=0)
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  MLflow prints to it
    ignore_interrupts()
    gc.set_threshold(100_000)  # seldom, but pictures leave cycles, of megabytes
    if imports:
        threading.Thread(target=_warm_up, args=(imports,), daemon=True).start()
    writer = Writer(tracking_uri, prepare, connection.send)
    message = connection.recv()
    while isinstance(message, Run):
        writer.notify(message)
        message = connection.recv()
    if isinstance(message, _Close):
        writer.close(message.patience, message.last_attempt)
    else:
        writer.stop(message.within)
    connection.send(writer.disk_is_full)
    gc.freeze()  # as `lenetctl.cli.app.main`


def _warm_up(imports: Sequence[str]) -> None:
    """Do while training goes on what the first finished run would wait for."""
    from mlflow.utils import requirements_utils  # noqa: PLC0415

    # else MLflow lists the modules of all packages that are installed, to find those of a model
    requirements_utils._MODULES_TO_PACKAGES = {}  # type: ignore[assignment]  # noqa: SLF001
    for module in imports:
        import_module(module)
