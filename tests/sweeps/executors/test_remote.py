import socket
import time
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client
from pathlib import Path
from threading import Thread

import pytest
from helpers.strategies import any_spec
from hypothesis import given, settings
from pydantic_core import to_json

from lenetctl import specs
from lenetctl.processes import pipe
from lenetctl.runs.folder import Run
from lenetctl.runs.options import RunOptions
from lenetctl.sweeps.events import Decision, TrialEvent
from lenetctl.sweeps.executors import remote
from lenetctl.sweeps.executors.base import ExecutorSettings
from lenetctl.sweeps.executors.remote import (
    INVITATION,
    TO_DRIVER,
    TO_WORKER,
    Door,
    Invitation,
    JsonConnection,
    work,
)
from lenetctl.sweeps.trial import Trial


@given(any_spec())
@settings(deadline=None)
def test_a_trial_arrives_as_it_was_sent(spec):
    overrides = {"model.dropout": 0.5, "model.dense": [[1], []], "data.limit": None}
    trial = Trial(spec, specs.sha256(spec), Path("a/b.yaml"), overrides, ("training.epochs=3",))
    (arrived,) = TO_WORKER.validate_json(to_json([trial]))
    assert arrived == trial
    assert specs.sha256(arrived.spec) == trial.sha256
    assert arrived.command == trial.command


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        (TO_WORKER, Decision.PRUNE),
        (TO_DRIVER, "4711_0"),
        (TO_DRIVER, TrialEvent("0" * 64, "epoch_end", Run(Path("mlruns/one")), "said")),
        (TO_DRIVER, TrialEvent("0" * 64, "warning")),
        (INVITATION, Invitation("node1", 5, "key", RunOptions(tags={"a": "b"}), 2, force=True)),
    ],
)
def test_a_message_arrives_as_it_was_sent(expected, message):
    assert expected.validate_json(to_json(message)) == message


@pytest.fixture
def door():
    with Door() as opened:
        yield opened


def test_who_knows_the_key_comes_in(door, tmp_path, monkeypatch):
    served = []
    monkeypatch.setattr(remote, "serve", lambda connection, *how: served.append(how))
    monkeypatch.setattr(remote, "INTERRUPTS", ())  # a thread has no signals
    file = tmp_path / "invitation.json"
    file.write_bytes(to_json(Invitation("localhost", door.port, door.key, RunOptions(), 2, True)))
    worker = Thread(target=work, args=(file, "4711_0", None))
    worker.start()
    connection, job = door.let_in()
    worker.join()
    connection.close()
    assert job == "4711_0"
    assert served == [("serial", ExecutorSettings(RunOptions(), force=True), 2)]


def wrong_key(port):
    with suppress(AuthenticationError):
        Client(("localhost", port), authkey=b"guessed")


def hypertext(port):
    with socket.create_connection(("localhost", port)) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        stranger.recv(1000)


def silence(port):
    with socket.create_connection(("localhost", port)):
        time.sleep(3)


@pytest.mark.parametrize("stranger", [wrong_key, hypertext, silence])
def test_a_stranger_does_not_and_keeps_nobody_waiting(door, stranger, monkeypatch):
    monkeypatch.setattr(remote, "PATIENCE", 1)
    Thread(target=stranger, args=(door.port,), daemon=True).start()
    assert door.let_in() is None


def test_a_pickle_is_no_message():
    ours, theirs = pipe()
    with ours, theirs:
        theirs.send("4711_0")  # pickles it
        with pytest.raises(ValueError, match="JSON"):
            JsonConnection(ours, TO_DRIVER).recv()
