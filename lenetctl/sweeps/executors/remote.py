"""Workers on other machines: how they find the driver, and what they tell each other.

Messages are JSON. A pickle that came over the network could run code of whoever sent it. Before any
message both sides show, by a digest, that they know a key, which is in a file of the user's own.
"""

from __future__ import annotations

import secrets
import signal
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter
from pydantic_core import to_json

from lenetctl.runs.options import RunOptions
from lenetctl.sweeps.events import Decision, Draw, TrialEvent
from lenetctl.sweeps.executors.base import ExecutorSettings
from lenetctl.sweeps.executors.workers import INTERRUPTS, interrupt, serve
from lenetctl.sweeps.trial import Trial

LONGEST = 10_000_000  # bytes of a message; an event has hundreds
PATIENCE = 5  # seconds for whoever knocks to show the key
SILENCE, AGAIN, TRIES = 30, 10, 3  # seconds until a silent machine is asked whether it is there


@dataclass(frozen=True)
class Invitation:
    """What a worker reads when it starts."""

    host: str
    port: int
    key: str
    options: RunOptions
    threads: int
    force: bool


@dataclass(frozen=True, eq=False)
class JsonConnection:
    """A connection with another machine, whose messages are JSON."""

    raw: Connection
    expected: TypeAdapter[Any]  # what the other side sends

    def send(self, message: object) -> None:
        """Send a message."""
        self.raw.send_bytes(to_json(message))

    def recv(self) -> Any:
        """Return the next message.

        Raises:
            EOFError, OSError: the other side is gone.
            ValidationError: it is not what the other side sends.

        """
        return self.expected.validate_json(self.raw.recv_bytes(LONGEST))

    def fileno(self) -> int:
        """Return what to wait for."""
        return self.raw.fileno()

    def close(self) -> None:
        """Close it: the other side reads an end of file."""
        self.raw.close()


TO_DRIVER: TypeAdapter[Any] = TypeAdapter(str | TrialEvent)  # its job first, then events
TO_WORKER: TypeAdapter[Any] = TypeAdapter(list[Trial] | Decision)
INVITATION = TypeAdapter(Invitation)


@dataclass
class Door:
    """Where workers knock: a port of this machine that is open for as long as the context lasts."""

    key: str = field(default_factory=lambda: secrets.token_hex(32))

    def __enter__(self) -> Self:
        """Open it."""
        self._socket = socket.create_server(("", 0))
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._socket.close()

    @property
    def port(self) -> int:
        """The port's number."""
        number: int = self._socket.getsockname()[1]
        return number

    def fileno(self) -> int:
        """Return what to wait for: readable where somebody knocks."""
        return self._socket.fileno()

    def let_in(self) -> tuple[JsonConnection, str] | None:
        """Return the connection with whoever knocks, and its job's number; None for a stranger."""
        theirs, _ = self._socket.accept()
        patience = struct.pack("ll", PATIENCE, 0)  # seconds, and millionths of one
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, patience)
        connection = JsonConnection(_kept_alive(theirs), TO_DRIVER)
        try:
            deliver_challenge(connection.raw, self.key.encode())
            answer_challenge(connection.raw, self.key.encode())
            return connection, str(connection.recv())
        except (AuthenticationError, EOFError, OSError, ValueError):
            connection.close()
            return None


def work(file: Path, job: str, draw: Draw | None) -> None:
    """Be a worker of the driver that wrote `file`, until it closes the connection.

    A scheduler's signals stop the trial as Ctrl-C does: its run goes on in another worker.
    """
    for name in INTERRUPTS:
        signal.signal(name, interrupt)
    invitation = INVITATION.validate_json(file.read_bytes())
    key = invitation.key.encode()
    ours = socket.create_connection((invitation.host, invitation.port), timeout=60)
    ours.settimeout(None)
    connection = JsonConnection(_kept_alive(ours), TO_WORKER)
    with suppress(EOFError, OSError, KeyboardInterrupt):
        answer_challenge(connection.raw, key)
        deliver_challenge(connection.raw, key)
        connection.send(job)
        settings = ExecutorSettings(invitation.options, force=invitation.force, draw=draw)
        serve(connection, "serial", settings, invitation.threads)


def _kept_alive(one: socket.socket) -> Connection:
    """Return a socket as a connection that ends when the other machine is lost without a word."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")  # macOS lacks the first
    for name, value in zip(names, (SILENCE, AGAIN, TRIES), strict=True):
        if option := getattr(socket, name, None):
            one.setsockopt(socket.IPPROTO_TCP, option, value)
    return Connection(one.detach())
