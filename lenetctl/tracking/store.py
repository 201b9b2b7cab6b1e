"""Which MLflow store, and a client of it. Importing this module does not import mlflow."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from filelock import FileLock

if TYPE_CHECKING:
    from mlflow import MlflowClient

SQLITE = "sqlite:///"
DEFAULT = "sqlite:///mlflow.db"  # MLflow's own, so that a plain `mlflow ui` here shows the runs


def uri(option: str | None) -> str:
    """Return the tracking URI: the option, else MLFLOW_TRACKING_URI, else MLflow's default."""
    return option or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT


def folder(option: str | None) -> Path:
    """Return where a SQLite store is; the working directory for any other."""
    where = uri(option)
    return Path(where.removeprefix(SQLITE)).parent if where.startswith(SQLITE) else Path()


def redacted(text: str) -> str:
    """Return `text` with the user and password of every URL in it blotted out."""
    return re.sub(r"(?<=://)[^/\s]+@", "***@", text)


def client(tracking_uri: str) -> MlflowClient:
    """Return a client that gives up on a silent server after seconds, not minutes.

    A new SQLite store gets its schema here, by one process at a time: two at once would fail.
    """
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    from mlflow import MlflowClient  # noqa: PLC0415  4 s, not to be waited for by a command

    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    if not tracking_uri.startswith(SQLITE):
        return MlflowClient(tracking_uri)
    database = Path(tracking_uri.removeprefix(SQLITE))
    with FileLock(database.with_name(f"{database.name}.lock")):
        if not database.exists():
            # whole or not at all: MLflow cannot go on with the half of a schema
            with TemporaryDirectory(dir=database.parent, prefix=f".{database.name}-") as scratch:
                new = Path(scratch) / database.name
                MlflowClient(f"{SQLITE}{new}")
                new.replace(database)
        return MlflowClient(tracking_uri)
