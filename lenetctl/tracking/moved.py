"""A SQLite store whose project was moved or copied: MLflow writes whole paths into it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def artifact_root(database: Path) -> Path:
    """Return where the artifacts of a SQLite store are: beside it, as MLflow's default has it."""
    return database.resolve().parent / "mlruns"


def follow_move(database: Path) -> None:
    """Let a store that was moved or copied find the artifacts that came with it, and add to them.

    Where others keep the artifacts of a store elsewhere, on purpose, nothing is changed.
    """
    here = artifact_root(database)
    # one that is locked, or not to be written, says so when it is used
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(database)) as store, store:
        for root in set(_roots_elsewhere(store, here)):
            if _is_left(root, database) or _came_along(store, root, here):
                _replace(store, root, here.as_uri())


def _roots_elsewhere(store: sqlite3.Connection, here: Path) -> Iterator[str]:
    """Yield what experiments have for `…/mlruns`, MLflow's default, where that is not `here`."""
    for number, location in store.execute(
        "SELECT experiment_id, artifact_location FROM experiments"
    ).fetchall():
        root = str(location).removesuffix(f"/{number}")
        if root != location and _local(root).name == "mlruns" and _local(root) != here:
            yield root


def _is_left(root: str, database: Path) -> bool:
    """Return whether the project is here, and its old place is gone or has a store of its own."""
    before = _local(root)
    project = (artifact_root(database) / "lenetctl").is_dir()
    return project and (not before.is_dir() or before.with_name(database.name).exists())


def _came_along(store: sqlite3.Connection, root: str, here: Path) -> bool:
    """Return whether the artifacts of a run below `root` are here."""
    within = "SELECT artifact_uri FROM runs WHERE substr(artifact_uri, 1, ?) = ?"
    uris = store.execute(within, (len(root) + 1, f"{root}/"))
    return any((here / uri.removeprefix(f"{root}/")).is_dir() for (uri,) in uris)


def _replace(store: sqlite3.Connection, before: str, after: str) -> None:
    length = len(before) + 1
    for table, column in COLUMNS:
        store.execute(
            f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608  ours
            f"WHERE substr({column}, 1, ?) = ?",
            (after, length, length, f"{before}/"),
        )


def _local(location: str) -> Path:
    """Return the folder that MLflow takes a location for, a `file:` URI or a path."""
    return Path(url2pathname(urlparse(location).path if location.startswith("file:") else location))
