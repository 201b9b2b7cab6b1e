"""Other people's runs, brought in among those of this project."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from lenetctl.runs.folder import Run
from lenetctl.runs.store import RunStore

LEFT_BEHIND = ("lock", "published.json")  # which say something of where the run was


def runs_below(folder: Path) -> list[Run]:
    """Return the folders of runs in `folder`, however deep, by their paths."""
    return [Run(path.parent) for path in sorted(folder.rglob("run.json"))]


def import_run(store: RunStore, source: Run, user: str) -> Run | None:
    """Copy a run into `store` as one of `user`, "" for none; None where it is there already.

    Links are not followed and left out: the folder may be a stranger's.

    Raises:
        NotFoundError: it cannot be read.
        SpecError: its spec cannot be.

    """
    _ = source.status, source.spec()
    record = source.record.model_copy(update={"user": user, "imported": True})
    store.root.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=store.root, prefix=".import-") as scratch:
        copied = Run(Path(scratch) / "run")
        shutil.copytree(source.path, copied.path, ignore=_left_out)
        copied.write_record(record)
        return store.add(copied)


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Return what is not copied: what is no plain file or folder, and what a crash left."""
    paths = [Path(folder, name) for name in names]
    plain = {path.name for path in paths if path.is_file() or path.is_dir()}
    links = {path.name for path in paths if path.is_symlink()}
    hidden = {name for name in names if name.startswith(".") or name in LEFT_BEHIND}
    return set(names) - plain | links | hidden
