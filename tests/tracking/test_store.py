import subprocess
import sys

import pytest

from lenetctl.tracking import store

OPEN = "import sys; from lenetctl.tracking.store import client; client(sys.argv[1])"


def test_the_option_beats_the_environment_which_beats_the_default(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert store.uri(None) == "sqlite:///mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking")
    assert store.uri(None) == "http://tracking"
    assert store.uri("sqlite:///here.db") == "sqlite:///here.db"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://ann:secret@host:5000/x", "http://***@host:5000/x"),
        ("https://secret@host", "https://***@host"),
        ("postgresql://ann:sec@ret@host/db", "postgresql://***@host/db"),
        (
            "no route to http://a:secret@h or http://b:secret@h",
            "no route to http://***@h or http://***@h",
        ),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
        ("http://host/path@2", "http://host/path@2"),
    ],
)
def test_users_and_passwords_of_addresses_are_blotted_out(text, shown):
    assert store.redacted(text) == shown


def test_processes_that_open_a_new_store_at_once_all_succeed(tmp_path):
    command = [sys.executable, "-c", OPEN, f"sqlite:///{tmp_path / 'new.db'}"]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    for process in started:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
