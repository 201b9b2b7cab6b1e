import errno
import subprocess
import sys

import pytest

from lenetctl.tracking import store

OPEN = "import sys; from lenetctl.tracking.store import open_client; open_client(sys.argv[1])"


def test_the_option_beats_the_environment_which_beats_the_default(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert store.choose_uri(None) == "sqlite:///mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking")
    assert store.choose_uri(None) == "http://tracking"
    assert store.choose_uri("sqlite:///here.db") == "sqlite:///here.db"


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
        (
            "postgresql://host/db?user=ann&password=sec%20ret&x=1 is down",
            "postgresql://host/db?user=ann&password=***&x=1 is down",
        ),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
        ("http://host/path@2", "http://host/path@2"),
    ],
)
def test_users_and_passwords_of_addresses_are_blotted_out(text, shown):
    assert store.redacted(text) == shown


def test_what_a_killed_process_left_of_a_new_store_is_removed(tmp_path):
    torn = tmp_path / ".new.db-x1"
    torn.mkdir()
    (torn / "new.db").touch()
    store.open_client(f"sqlite:///{tmp_path / 'new.db'}")
    assert {path.name for path in tmp_path.iterdir()} == {"new.db"}


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Quota"), True),
        (OSError(errno.ECONNREFUSED, "refused"), False),
        (RuntimeError("(sqlite3.OperationalError) database or disk is full"), True),
        (RuntimeError("(sqlite3.OperationalError) database is locked"), False),
    ],
)
def test_a_full_disk_is_told_from_other_troubles(error, full):
    assert store.is_full(error) is full


def test_processes_that_open_a_new_store_at_once_all_succeed(tmp_path):
    command = [sys.executable, "-c", OPEN, f"sqlite:///{tmp_path / 'new.db'}"]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    for process in started:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
