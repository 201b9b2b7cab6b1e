import os
import shutil
import subprocess
import sys

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
    started = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
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


def test_a_uri_with_options_is_a_store_of_the_same_file(empty_database, tmp_path):
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    client = store.open_client(f"sqlite:///{tmp_path / 'mlflow.db'}?timeout=60")
    assert client.search_experiments()
    assert {path.name for path in tmp_path.iterdir()} == {"mlflow.db"}
