"""Whether runs can be published at all: asked before training, without importing mlflow (4 s).

A server, or a database that another process has locked, may be away now and there later: it is not
asked. What is refused here is what no later attempt would mend.
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from lenetctl.errors import UsageError
from lenetctl.tracking.uri import DEFAULT, redacted, sqlite_file

SERVERS = ("http", "https", "databricks", "databricks-uc", "uc")
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
PACKAGES = {"psycopg": "psycopg[binary]", "psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient"}
REVISION = re.compile(r"""^(down_)?revision = ['"](\w+)['"]""", re.MULTILINE)


def check_store(tracking_uri: str) -> None:
    """Refuse a store that cannot be published into, however long one waits for it.

    Raises:
        UsageError: MLflow has no such store, a driver is missing, or the database of SQLite is
            damaged, of another version or not to be written.

    """
    scheme = tracking_uri.partition(":")[0]
    plugins = {plugin.name for plugin in entry_points(group="mlflow.tracking_store")}
    try:
        if scheme.partition("+")[0] in DATABASES:
            _check_database(tracking_uri)
        elif scheme not in {*SERVERS, *plugins}:
            _check_folder(tracking_uri)
    except UsageError as error:
        raise UsageError(f"tracking URI {redacted(tracking_uri)}: {error}") from None


def _check_folder(tracking_uri: str) -> None:
    scheme, colon, _ = tracking_uri.partition(":")
    if colon and scheme != "file" and len(scheme) > 1:  # C:\mlruns is a folder
        raise UsageError(f"MLflow knows no {scheme}: use {DEFAULT} or http://HOST:PORT")
    if os.environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() not in ("true", "1"):
        raise UsageError(f"MLflow no longer keeps runs in folders: use {DEFAULT}")


def _check_database(tracking_uri: str) -> None:
    file = sqlite_file(tracking_uri)
    if file:
        _check_sqlite(file)
        return
    from sqlalchemy.engine import make_url  # noqa: PLC0415
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError  # noqa: PLC0415

    try:
        url = make_url(tracking_uri)
        url.get_dialect().import_dbapi()
    except (ArgumentError, NoSuchModuleError) as error:
        raise UsageError(str(error).partition("\n")[0]) from None
    except ImportError as error:
        module = str(error.name)
        raise UsageError(f"{error}: pip install {PACKAGES.get(module, module)}") from None
    if url.get_backend_name() == "sqlite" and (url.host or not url.database):
        raise UsageError(f"a file of SQLite has three slashes: {DEFAULT}")


def _check_sqlite(file: Path) -> None:
    """Try to write, without waiting, and look for which MLflow the tables were made."""
    if not file.exists():
        if not os.access(file.parent, os.W_OK):
            raise UsageError(f"{file.parent} is no folder, or cannot be written")
        return
    rows: list[tuple[str]] = []
    try:
        with closing(sqlite3.connect(file, timeout=0)) as database:
            database.execute("BEGIN IMMEDIATE")
            rows = database.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.OperationalError as error:
        said = str(error)
        if "locked" not in said and "no such table" not in said:  # that of a file still empty
            raise UsageError(f"{said}: mend that, or name another --tracking-uri") from None
    except sqlite3.DatabaseError as error:
        raise UsageError(f"{error}: move it away, then `lenetctl sync` makes it anew") from None
    known, last = _revisions()
    for (revision,) in rows:
        if revision not in known:
            raise UsageError("a newer MLflow made it: pip install --upgrade mlflow")
        if revision not in last:
            upgrade = f"mlflow db upgrade sqlite:///{file}"
            raise UsageError(f"an older MLflow made it: copy the file, then run `{upgrade}`")


def _revisions() -> tuple[set[str], set[str]]:
    """Return the database revisions that this MLflow knows, and the last of them."""
    mlflow = find_spec("mlflow")
    known: set[str] = set()
    before: set[str] = set()
    for folder in (mlflow and mlflow.submodule_search_locations) or ():
        for file in Path(folder).glob("store/db_migrations/versions/*.py"):
            for is_before, revision in REVISION.findall(file.read_text(encoding="utf-8")):
                (before if is_before else known).add(revision)
    return known, known - before
