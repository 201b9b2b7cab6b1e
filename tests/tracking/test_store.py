import os
import shutil
import subprocess
import sys

import mlflow.store.db.utils
import pytest

from lenetctl.tracking import store

OPEN = "import sys; from lenetctl.tracking.store import open_client; open_client(sys.argv[1])"


def test_what_a_killed_process_left_of_a_new_store_is_removed(tmp_path):
    torn = tmp_path / ".new.db-x1"
    torn.mkdir()
    (torn / "new.db").touch()
    store.open_client(f"sqlite:///{tmp_path / 'new.db'}")
    assert {path.name for path in tmp_path.iterdir()} == {"new.db"}


def test_processes_that_open_a_new_store_at_once_all_succeed(tmp_path):
    command = [sys.executable, "-c", OPEN, f"sqlite:///{tmp_path / 'new.db'}"]
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    started = [subprocess.Popen(command, stderr=subprocess.PIPE, env=env) for _ in range(3)]
    for process in started:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors


def test_a_new_store_has_the_permissions_of_the_umask(tmp_path):
    before = os.umask(0o002)
    try:
        store.open_client(f"sqlite:///{tmp_path / 'new.db'}")
    finally:
        os.umask(before)
    assert (tmp_path / "new.db").stat().st_mode & 0o777 == 0o664


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "user_cache_path", lambda _: tmp_path / "cache")
    return tmp_path / "cache"


def experiments(folder):
    folder.mkdir()
    found = store.open_client(f"sqlite:///{folder / 'mlflow.db'}").search_experiments()
    return [(each.experiment_id, each.artifact_location) for each in found]


def test_tables_that_were_made_once_are_copied(cache, tmp_path, monkeypatch):
    experiments(tmp_path / "first")
    monkeypatch.delattr(mlflow.store.db.utils, "_initialize_tables")
    folder = tmp_path / "second"
    assert experiments(folder) == [("0", (folder / "mlruns/0").as_uri())]


def test_a_cache_that_is_damaged_is_made_anew(cache, tmp_path):
    experiments(tmp_path / "first")
    (kept,) = (cache / "mlflow").iterdir()
    whole = kept.read_bytes()
    for number, damaged in enumerate((whole[: len(whole) // 2], b"no database" * 999, b"")):
        kept.write_bytes(damaged)
        assert len(experiments(tmp_path / str(number))) == 1
        assert len(kept.read_bytes()) == len(whole)


def test_a_store_needs_no_cache(cache, tmp_path):
    cache.touch()  # where the folder should be
    assert len(experiments(tmp_path / "project")) == 1


def test_a_uri_with_options_is_a_store_of_the_same_file(empty_database, tmp_path):
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    client = store.open_client(f"sqlite:///{tmp_path / 'mlflow.db'}?timeout=60")
    assert client.search_experiments()
    assert {path.name for path in tmp_path.iterdir()} == {"mlflow.db"}
