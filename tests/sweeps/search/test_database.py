import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest
from helpers.searches import lock
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from lenetctl.errors import BusyError, NotFoundError, UsageError
from lenetctl.sweeps.events import TrialEvent
from lenetctl.sweeps.search.database import named_database, told, trials_done


def test_a_damaged_database_is_one_line_with_the_way_out(study, tmp_path):
    (tmp_path / "optuna.db").write_bytes(b"no database" * 100)
    with pytest.raises(NotFoundError, match=r"optuna\.db: not valid: .*; move it away"), study():
        pass


def test_a_database_of_another_version_is_one_line(study, tmp_path):
    with study():
        pass
    with closing(sqlite3.connect(tmp_path / "optuna.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = 'v9'")
        database.commit()
    with pytest.raises(NotFoundError, match="no longer compatible"), study():
        pass


def test_a_database_that_is_locked_for_a_while_is_waited_for(study, tmp_path):
    with study():
        pass
    with closing(sqlite3.connect(tmp_path / "optuna.db", check_same_thread=False)) as database:
        database.execute("BEGIN EXCLUSIVE")
        Timer(7, database.rollback).start()  # sqlite3 by itself waits for five seconds
        with study():
            pass


def test_a_lock_that_lasts_is_one_line_and_the_same_command_goes_on(
    study, ran, tmp_path, monkeypatch
):
    monkeypatch.setattr("lenetctl.sweeps.search.database.LONGEST_LOCK", 0.1)
    with (
        pytest.raises(BusyError, match=r"optuna\.db: database is locked; the same command goes on"),
        study(trials=1) as one,
        lock(tmp_path / "optuna.db"),
    ):
        list(one)
    with study(trials=1) as one:
        (trial,) = one
        with lock(tmp_path / "optuna.db"):
            one.on_event(TrialEvent(trial.sha256, "finished", ran(trial, 0.9)))
    with study(trials=1) as again:
        assert again.left == 0


def test_trials_are_counted_without_writing(study, ran, tmp_path):
    with study() as one:
        left_half_done, trial = one.search.identity, next(iter(one))
    assert trials_done(left_half_done, tmp_path / "optuna.db") == 0
    with study() as one:
        trial = next(iter(one))
        one.on_event(TrialEvent(trial.sha256, "finished", ran(trial, 0.5)))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert trials_done(one.search.identity, tmp_path / "optuna.db") == 1
    assert trials_done("another", tmp_path / "optuna.db") == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        (
            "mysql://ann:hunter2@host/name",
            r"write sqlite:///FILE or postgresql\+psycopg://HOST/NAME",
        ),
        ("sqlite://", "write sqlite:///FILE"),
        ("optuna.db", "--storage: "),
        ("postgresql+abacus://host/name", "--storage: "),
        ("postgresql+pg8000://host/name", "pg8000 is not installed: .* its extra `postgresql`"),
    ],
)
def test_a_storage_that_cannot_be_is_one_line(uri, said):
    with pytest.raises(UsageError, match=said) as refused:
        named_database(uri)
    assert "hunter2" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_of_sqlite_may_be_anywhere():
    assert named_database("sqlite:///a/b.db") == Path("a/b.db")
    assert named_database("sqlite:////a/b.db") == Path("/a/b.db")


def test_a_server_that_is_away_is_one_line_without_its_password():
    url = make_url("postgresql+psycopg://ann:hunter2@host/name")
    error = OperationalError("SELECT", {}, Exception("connection refused\nIs it running?"))
    said = str(told(error, url))
    assert said == f"--storage {url}: connection refused; the same command goes on"
    assert "hunter2" not in said
