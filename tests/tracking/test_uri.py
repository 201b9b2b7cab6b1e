from pathlib import Path

import pytest

from lenetctl.tracking import uri


def test_the_option_beats_the_environment_which_beats_the_default(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert uri.choose_uri(None) == "sqlite:///mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking")
    assert uri.choose_uri(None) == "http://tracking"
    assert uri.choose_uri("sqlite:///here.db") == "sqlite:///here.db"


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
    assert uri.redacted(text) == shown


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("sqlite:///mlflow.db", Path("mlflow.db")),
        ("sqlite:////data/mlflow.db", Path("/data/mlflow.db")),
        ("sqlite:///mlflow.db?timeout=60", Path("mlflow.db")),
        ("sqlite+pysqlite:///a/mlflow.db", Path("a/mlflow.db")),
        ("sqlite:///:memory:", None),
        ("sqlite:///file:mlflow.db?mode=ro&uri=true", None),
        ("sqlite://mlflow.db", None),
        ("http://host/mlflow.db", None),
    ],
)
def test_the_file_of_a_sqlite_store(text, file):
    assert uri.sqlite_file(text) == file
