"""The database of studies: opened, looked at, and what is wrong with it in one line."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import optuna
from filelock import FileLock
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DatabaseError, OperationalError

from lenetctl.errors import BusyError, LenetctlError, NotFoundError, ResourceError

ENDED = "lenetctl.ended"  # attribute of the study's trials that count, and how they ended
LONGEST_LOCK = 60  # seconds that another program may keep the database locked
DATABASE_ERRORS = (DatabaseError, StorageInternalError)  # the second hides the first


def open_database(file: Path) -> optuna.storages.RDBStorage:
    """Return the database, made first if it is not there.

    Raises:
        LenetctlError: as `told` says.

    """
    try:
        with FileLock(file.with_name(f"{file.name}.lock")):  # two would make its schema
            return _connect(f"sqlite:///{file}")
    except (*DATABASE_ERRORS, RuntimeError) as error:
        raise told(error, file) from error


def trials_done(study: str, file: Path) -> int:
    """Return how many trials of a study count already; nothing is written.

    Raises:
        LenetctlError: as `told` says.

    """
    if not file.exists():
        return 0
    uri = f"sqlite:///file:{quote(file.absolute().as_posix())}?mode=ro&uri=true"
    try:
        trials = optuna.load_study(study_name=study, storage=_connect(uri, look=True)).trials
    except KeyError:
        return 0
    except (*DATABASE_ERRORS, RuntimeError) as error:
        raise told(error, file) from error
    return sum(ENDED in trial.user_attrs for trial in trials)


def told(error: Exception, file: Path) -> LenetctlError:
    """Return what is wrong with the database in words, with the way out."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    reason = str(getattr(cause, "orig", cause)).splitlines()[0]
    for word, kind in (("locked", BusyError), ("full", ResourceError)):
        if isinstance(cause, OperationalError) and word in reason:
            return kind(f"{file}: {reason}; the same command goes on")
    remedy = "move it away: the search begins anew, finished runs are kept"
    return NotFoundError(f"{file}: not valid: {reason}; {remedy}")


def _connect(uri: str, *, look: bool = False) -> optuna.storages.RDBStorage:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    patient = {"connect_args": {"timeout": LONGEST_LOCK}}
    return optuna.storages.RDBStorage(uri, engine_kwargs=patient, skip_table_creation=look)
