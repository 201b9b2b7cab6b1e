"""A client of an MLflow store. Importing this module does not import mlflow."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import threading
from contextlib import closing, suppress
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from filelock import FileLock
from platformdirs import user_cache_path

from lenetctl.files import write_whole
from lenetctl.tracking.moved import artifact_root, follow_move
from lenetctl.tracking.uri import sqlite_file, sqlite_uri

if TYPE_CHECKING:
    from mlflow import MlflowClient

ARTIFACT_ROOT = "_MLFLOW_SERVER_ARTIFACT_ROOT"  # as MLflow's server hands it to its jobs
_CHANGED_ENVIRONMENT = threading.Lock()  # one thread's at a time


def open_client(tracking_uri: str) -> MlflowClient:
    """Return a client that gives up on a silent server after seconds, not minutes.

    A new SQLite store gets its schema here, by one process at a time: two at once would fail.
    """
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")  # the writer tries again itself
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # a request each
    os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    os.environ.setdefault("MLFLOW_UV_AUTO_DETECT", "false")  # a copy of uv.lock in every model
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    from mlflow import MlflowClient  # noqa: PLC0415  4 s, not to be waited for by a command

    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)  # errors are told in one line
    database = sqlite_file(tracking_uri)
    if database is None:
        return MlflowClient(tracking_uri)
    if not database.exists():
        lock = database.with_name(f"{database.name}.lock")
        with FileLock(lock):
            if not database.exists():  # no other process was faster
                _make(database)
        # no more in the way: whoever waits for it, or makes another, finds the database there
        with suppress(OSError):
            lock.unlink()
    follow_move(database)
    return _client(tracking_uri, database)


def _client(tracking_uri: str, database: Path) -> MlflowClient:
    """Return a client of a SQLite store that keeps artifacts beside it, from wherever it is called.

    MLflow's own default is the working directory, as a path whose %20 it takes for a space.
    """
    from mlflow import MlflowClient  # noqa: PLC0415

    with _CHANGED_ENVIRONMENT:
        before = os.environ.get(ARTIFACT_ROOT)
        os.environ[ARTIFACT_ROOT] = artifact_root(database).as_uri()
        try:
            return MlflowClient(tracking_uri)
        finally:
            del os.environ[ARTIFACT_ROOT]
            if before is not None:
                os.environ[ARTIFACT_ROOT] = before


def _make(database: Path) -> None:
    """Make a SQLite store whole or not at all: MLflow cannot go on with the half of a schema."""
    for torn in database.parent.glob(f".{database.name}-*"):  # its process was killed
        shutil.rmtree(torn, ignore_errors=True)
    # a stopped command ends while its writer is at work in here
    with TemporaryDirectory(
        dir=database.parent, prefix=f".{database.name}-", ignore_cleanup_errors=True
    ) as scratch:
        new = Path(scratch) / database.name
        new.touch()  # with the permissions of the umask: SQLite's own are narrower
        _make_tables(new)
        new.replace(database)


def _make_tables(new: Path) -> None:
    """Fill an empty file with MLflow's tables: a copy of those that were made before, if it can be.

    MLflow makes them by all its migrations, which takes two seconds. Whoever opens the store next
    adds the one row that depends on its place, the default experiment.
    """
    kept = None
    with suppress(OSError, RuntimeError, sqlite3.Error):  # RuntimeError: there is no home folder
        kept = user_cache_path("lenetctl") / "mlflow" / f"{version('mlflow')}.db"
        new.write_bytes(kept.read_bytes())
        with closing(sqlite3.connect(new)) as store:
            store.execute("SELECT 1 FROM alembic_version, experiments")  # an empty file is ok, too
            if store.execute("PRAGMA quick_check").fetchone() == ("ok",):
                return
    new.write_bytes(b"")
    _client(sqlite_uri(new), new)
    with closing(sqlite3.connect(new)) as store, store:
        store.execute("DELETE FROM experiments")
    with suppress(OSError):
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_whole(kept, new.read_bytes())
