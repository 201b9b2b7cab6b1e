"""Which MLflow store: its URI. Importing this module imports neither mlflow nor SQLAlchemy."""

from __future__ import annotations

import os
import re
from pathlib import Path

from lenetctl.runs.folder import Run
from lenetctl.runs.store import ROOT

SQLITE = "sqlite:///"
DEFAULT = "sqlite:///mlflow.db"  # MLflow's own, so that a plain `mlflow ui` here shows the runs
IN_QUERY = r"((?:password|passwd|token|secret)=)[^&\s]+"


def choose_uri(option: str | None, run: Run | None = None) -> str:
    """Return the tracking URI: the option, else MLFLOW_TRACKING_URI, else MLflow's default.

    That is the store of this folder, or of the project that `run` belongs to.
    """
    project = project_of(run) if run else None
    default = sqlite_uri(project / "mlflow.db") if project else DEFAULT
    return option or os.environ.get("MLFLOW_TRACKING_URI") or default


def project_of(run: Run) -> Path | None:
    """Return the folder of a run's project, where that is not the working directory."""
    runs = run.path.resolve().parent
    project = runs.parent.parent
    return project if project / ROOT == runs and project != Path.cwd() else None


def uri_in_cursor(tracking_uri: str, run: Run) -> str:
    """Return a URI without secrets that stays true when the run's project is moved."""
    file, project = sqlite_file(tracking_uri), project_of(run) or Path.cwd()
    if file is None:
        return redacted(tracking_uri)
    whole = file.resolve()
    return sqlite_uri(whole.relative_to(project) if whole.is_relative_to(project) else whole)


def sqlite_file(tracking_uri: str) -> Path | None:
    """Return the file of a SQLite store, None for any other, and for a URI that is not valid."""
    if not tracking_uri.startswith("sqlite"):
        return None
    if plain := re.fullmatch(r"sqlite:///(?!:memory:|file:)([^?@%]+)", tracking_uri):
        return Path(plain[1])  # SQLAlchemy takes half a second to import
    from sqlalchemy.engine import make_url  # noqa: PLC0415
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        url = make_url(tracking_uri)
    except ArgumentError:
        return None
    named = not url.host and url.database and not url.database.startswith((":memory:", "file:"))
    return Path(str(url.database)) if named else None


def sqlite_uri(file: Path) -> str:
    """Return the tracking URI of a SQLite file."""
    if "%" not in str(file):
        return f"{SQLITE}{file.as_posix()}"
    from sqlalchemy.engine import URL  # noqa: PLC0415

    return URL.create("sqlite", database=file.as_posix()).render_as_string()


def store_folder(option: str | None) -> Path:
    """Return where a SQLite store is; the working directory for any other."""
    file = sqlite_file(choose_uri(option))
    return file.parent if file else Path()


def redacted(text: str) -> str:
    """Return `text` with the user, password and token of every URL in it blotted out."""
    return re.sub(IN_QUERY, r"\1***", re.sub(r"(?<=://)[^/\s]+@", "***@", text))
