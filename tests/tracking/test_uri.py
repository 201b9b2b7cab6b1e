from pathlib import Path

import pytest

from lenetctl.runs.folder import Run
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


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path / "b/mlruns/lenetctl/quick-s0-1")


def test_the_default_store_is_that_of_the_runs_project(run, tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    run.path.mkdir(parents=True)
    assert uri.choose_uri(None, run) == f"sqlite:///{tmp_path}/b/mlflow.db"
    assert uri.choose_uri("sqlite:///here.db", run) == "sqlite:///here.db"
    assert uri.choose_uri(None, Run(tmp_path / "elsewhere")) == "sqlite:///mlflow.db"
    monkeypatch.chdir(tmp_path / "b")
    assert uri.choose_uri(None, run) == "sqlite:///mlflow.db"


def test_the_cursor_names_a_store_so_that_the_project_can_be_moved(run, tmp_path, monkeypatch):
    run.path.mkdir(parents=True)
    named = f"sqlite:///{tmp_path}/b/mlflow.db?timeout=60"
    assert uri.uri_in_cursor(named, run) == "sqlite:///mlflow.db"
    assert uri.uri_in_cursor("sqlite:///other.db", run) == f"sqlite:///{tmp_path}/other.db"
    assert uri.uri_in_cursor("http://ann:secret@host", run) == "http://***@host"
    monkeypatch.chdir(tmp_path / "b")
    assert uri.uri_in_cursor("sqlite:///mlflow.db", run) == "sqlite:///mlflow.db"
