"""The database of studies: opened, looked at, and what is wrong with it in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import optuna
from filelock import FileLock, Timeout
from optuna.exceptions import StorageInternalError
from sqlalchemy import URL, create_engine, func, inspect, make_url, select
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError

from lenetctl.errors import BusyError, LenetctlError, NotFoundError, ResourceError, UsageError

Database = Path | URL  # a file of SQLite, or a server of PostgreSQL
ENDED = "lenetctl.ended"  # attribute of the study's trials that count, and how they ended
LONGEST_LOCK = 60  # seconds that another program may keep the database locked
DATABASE_ERRORS = (DatabaseError, StorageInternalError)  # the second hides the first


def named_database(uri: str) -> Database:
    """Return the database that a URI names, as Optuna's `storage`.

    Raises:
        UsageError: it is of another kind, or its driver is not installed.

    """
    try:
        url = make_url(uri)
        if url.get_backend_name() == "sqlite" and url.database and not url.host:
            return Path(url.database)
        if url.get_backend_name() != "postgresql":
            raise UsageError(
                f"--storage {url}: write sqlite:///FILE or postgresql+psycopg://HOST/NAME"
            )
        url.get_dialect().import_dbapi()
    except (ArgumentError, NoSuchModuleError) as error:
        raise UsageError(f"--storage: {str(error).splitlines()[0]}") from None
    except ImportError as error:
        remedy = "install lenetctl with its extra `postgresql`"
        raise UsageError(f"--storage {url}: {error.name} is not installed: {remedy}") from None
    return url


def open_database(database: Database) -> optuna.storages.RDBStorage:
    """Return the database, made first if it is not there.

    Raises:
        LenetctlError: as `told` says.

    """
    try:
        with held(database, "optuna.db", wait=True):  # two at once would make its schema
            return _connect(database)
    except (*DATABASE_ERRORS, RuntimeError) as error:
        raise told(error, database) from error


@contextmanager
def held(database: Database, name: str, *, wait: bool = False) -> Iterator[None]:
    """Hold a lock of this name for as long as the context lasts; it goes with its process.

    Raises:
        BusyError: another process holds it, and this one is not to wait.

    """
    busy = BusyError(f"{name}: another process is at this search")
    if isinstance(database, Path):
        lock = FileLock(database.with_name(f".{name}.lock"))
        try:
            lock.acquire(blocking=wait)
        except Timeout:
            raise busy from None
        try:
            yield
        finally:
            lock.release()
        return
    key = func.hashtext(f"lenetctl {name}")
    with create_engine(database).connect() as session:
        if wait:
            session.execute(select(func.pg_advisory_lock(key)))
        elif not session.scalar(select(func.pg_try_advisory_lock(key))):
            raise busy
        session.commit()  # the lock is the session's; an open transaction would be in the way
        try:
            yield
        finally:
            session.invalidate()


def trials_done(study: str, database: Database) -> int:
    """Return how many trials of a study count already; nothing is written.

    Raises:
        LenetctlError: as `told` says.

    """
    if isinstance(database, Path) and not database.exists():
        return 0
    try:
        if isinstance(database, URL) and not inspect(create_engine(database)).has_table("studies"):
            return 0
        storage = _connect(database, look=True)
        trials = optuna.load_study(study_name=study, storage=storage).trials
    except KeyError:
        return 0
    except (*DATABASE_ERRORS, RuntimeError) as error:
        raise told(error, database) from error
    return sum(ENDED in trial.user_attrs for trial in trials)


def told(error: Exception, database: Database) -> LenetctlError:
    """Return what is wrong with the database in words, with the way out."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    reason = str(getattr(cause, "orig", cause)).splitlines()[0]
    if isinstance(database, URL):
        return UsageError(f"--storage {database}: {reason}; the same command goes on")
    for word, kind in (("locked", BusyError), ("full", ResourceError)):
        if isinstance(cause, OperationalError) and word in reason:
            return kind(f"{database}: {reason}; the same command goes on")
    remedy = "move it away: the search begins anew, finished runs are kept"
    return NotFoundError(f"{database}: not valid: {reason}; {remedy}")


def _connect(database: Database, *, look: bool = False) -> optuna.storages.RDBStorage:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if isinstance(database, URL):
        uri = database.render_as_string(hide_password=False)
        how: dict[str, Any] = {"pool_pre_ping": True}  # the server may have been away
    else:
        path = quote(database.absolute().as_posix())
        uri = f"sqlite:///file:{path}?mode=ro&uri=true" if look else f"sqlite:///{database}"
        how = {"connect_args": {"timeout": LONGEST_LOCK}}
    return optuna.storages.RDBStorage(uri, engine_kwargs=how, skip_table_creation=look)
