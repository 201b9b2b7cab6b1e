import sqlite3
from contextlib import closing
from threading import Timer

import pytest
from helpers.searches import lock

from lenetctl.errors import BusyError, NotFoundError
from lenetctl.sweeps.events import TrialEvent
from lenetctl.sweeps.search.database import trials_done


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
