"""Which MLflow store, and a client of it. Importing this module does not import mlflow."""

from __future__ import annotations

import errno
import logging
import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from filelock import FileLock

from lenetctl.errors import LenetctlError

if TYPE_CHECKING:
    from mlflow import MlflowClient

SQLITE = "sqlite:///"
DEFAULT = "sqlite:///mlflow.db"  # MLflow's own, so that a plain `mlflow ui` here shows the runs
# what another attempt does not mend: HTTP 401 and 403 as MLflow names them
REFUSALS = ("UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED", "PERMISSION_DENIED")
# what MLflow says of a run or an experiment that it will not take
OF_ONE_RUN = ("INVALID_PARAMETER_VALUE", "INVALID_STATE", "RESOURCE_DOES_NOT_EXIST", "BAD_REQUEST")
IN_QUERY = r"((?:password|passwd|token|secret)=)[^&\s]+"


def choose_uri(option: str | None) -> str:
    """Return the tracking URI: the option, else MLFLOW_TRACKING_URI, else MLflow's default."""
    return option or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT


def store_folder(option: str | None) -> Path:
    """Return where a SQLite store is; the working directory for any other."""
    where = choose_uri(option)
    return Path(where.removeprefix(SQLITE)).parent if where.startswith(SQLITE) else Path()


def redacted(text: str) -> str:
    """Return `text` with the user, password and token of every URL in it blotted out."""
    return re.sub(IN_QUERY, r"\1***", re.sub(r"(?<=://)[^/\s]+@", "***@", text))


def open_client(tracking_uri: str) -> MlflowClient:
    """Return a client that gives up on a silent server after seconds, not minutes.

    A new SQLite store gets its schema here, by one process at a time: two at once would fail.
    """
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")  # the writer tries again itself
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    from mlflow import MlflowClient  # noqa: PLC0415  4 s, not to be waited for by a command

    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)  # errors are told in one line
    if not tracking_uri.startswith(SQLITE):
        return MlflowClient(tracking_uri)
    database = Path(tracking_uri.removeprefix(SQLITE))
    if not database.exists():
        lock = database.with_name(f"{database.name}.lock")
        with FileLock(lock):
            _make_database(database, MlflowClient)
        # no more in the way: whoever waits for it, or makes another, finds the database there
        with suppress(OSError):
            lock.unlink()
    return MlflowClient(tracking_uri)


def _make_database(database: Path, make_schema: Callable[[str], object]) -> None:
    """Make a SQLite store whole or not at all: MLflow cannot go on with the half of a schema."""
    if database.exists():  # another process was faster
        return
    for torn in database.parent.glob(f".{database.name}-*"):  # its process was killed
        shutil.rmtree(torn, ignore_errors=True)
    # a stopped command ends while its writer is at work in here
    with TemporaryDirectory(
        dir=database.parent, prefix=f".{database.name}-", ignore_cleanup_errors=True
    ) as scratch:
        new = Path(scratch) / database.name
        make_schema(f"{SQLITE}{new}")
        new.replace(database)


def refuses(tracking_uri: str, error: Exception) -> bool:
    """Return whether the server that answered with `error` does not know us, or not let us in.

    Of an answer with JSON that is not MLflow's own, its client drops the status: it is asked again.
    """
    if getattr(error, "error_code", None) in REFUSALS:
        return True
    if hasattr(error, "json") and tracking_uri.startswith(("http://", "https://")):
        from mlflow.utils.credentials import get_default_host_creds  # noqa: PLC0415
        from mlflow.utils.rest_utils import http_request  # noqa: PLC0415

        path, ask = "/api/2.0/mlflow/experiments/search", {"max_results": 1}
        with suppress(Exception):  # whatever a server that is going away makes of it
            credentials = get_default_host_creds(tracking_uri)  # type: ignore[no-untyped-call]
            answer = http_request(credentials, path, "GET", params=ask)  # type: ignore[no-untyped-call]
            return answer.status_code in (401, 403)
    return False


def first_line(error: Exception) -> str:
    """Return the first line of what `error` says, without secrets and not too long for a screen."""
    return next(iter(redacted(str(error)).strip().splitlines()), "")[:200]


def concerns_one_run(error: Exception) -> bool:
    """Return whether an error is about one run's folder or entry, and not about the store."""
    return isinstance(error, LenetctlError) or getattr(error, "error_code", None) in OF_ONE_RUN


def is_full(error: Exception) -> bool:
    """Return whether the disk of a store, or of the run's folder, has no room left."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return full or "database or disk is full" in str(error)
