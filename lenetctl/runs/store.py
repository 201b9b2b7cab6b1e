"""All the runs of a project: begin one, list them, find one, end those that died."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock

from lenetctl import specs
from lenetctl.errors import NotFoundError, UsageError
from lenetctl.files import as_file_name, write_whole
from lenetctl.runs.folder import CHECKPOINTS, Run
from lenetctl.runs.records import RunRecord
from lenetctl.specs.schema import Spec

ROOT = Path("mlruns/lenetctl")  # below the working directory, beside what MLflow keeps
LOCK = ".lock"  # held while a run begins, goes on or is looked at, for milliseconds


@dataclass(frozen=True)
class RunStore:
    """The folder that run folders are in."""

    root: Path = ROOT
    kind: type[Run] = Run  # that `all`, `scan` and `of_spec` return

    @contextmanager
    def begin(self, spec: Spec, record: RunRecord) -> Iterator[Run]:
        """Make the folder of a new run and hold its lock for as long as the context lasts.

        Raises:
            BusyError: another process trains the same experiment.
            UsageError: the folder cannot be written.

        """
        identity = record.spec_sha256
        with ExitStack() as holding:
            try:
                self.root.mkdir(parents=True, exist_ok=True)
                with self._lock():  # so that two starts at once see each other
                    earlier = self.of_spec(identity)
                    for run in earlier:
                        with run.held():  # raises where it is in training
                            pass
                    path = self._new_path(record, len(earlier) + 1)
                    path.mkdir()
                    run = Run(path)
                    holding.enter_context(run.held())
                    write_whole(path / "spec.yaml", specs.to_yaml(spec))
                    run.set_status("RUNNING")
                    run.write_record(record.model_copy(update={"created": run.status.started}))
            except (PermissionError, FileExistsError, NotADirectoryError) as error:
                raise UsageError(
                    f"{error.filename}: cannot be written: {error.strerror}"
                ) from error
            yield run

    @contextmanager
    def resume(self, run: Run) -> Iterator[Run]:
        """Hold the lock of an earlier run and say RUNNING, for as long as the context lasts.

        Raises:
            BusyError: another process trains it.

        """
        with self.held(run):
            run.set_status("RUNNING")
            yield run

    @contextmanager
    def held(self, run: Run) -> Iterator[None]:
        """Hold the lock of an earlier run, with nothing half written in its folder.

        Raises:
            BusyError: another process trains it.

        """
        with ExitStack() as holding:
            with self._lock():  # whoever looks at it meanwhile holds its lock
                holding.enter_context(run.held())
            for folder in (run.path, run.checkpoints, run.kept_epochs, run.figures):
                for torn in folder.glob(".*.tmp"):  # a process was killed while writing it
                    torn.unlink(missing_ok=True)
            yield

    def import_run(self, source: Run, user: str) -> Run | None:
        """Copy a run of another project, as one of `user`; None where it is here already.

        Links are not followed and left out: the folder may be a stranger's.

        Raises:
            NotFoundError: it cannot be read.
            SpecError: its spec cannot be.

        """
        _ = source.status, source.spec()
        record = source.record.model_copy(update={"user": user, "imported": True})
        epochs = source.epochs()
        self.root.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self.root, prefix=".import-") as scratch:
            copied = Run(Path(scratch) / "run")
            shutil.copytree(source.path, copied.path, ignore=_left_out)
            copied.write_record(record)
            with self._lock():
                same = self.of_spec(record.spec_sha256)
                if any(r.record.created == record.created and r.epochs() == epochs for r in same):
                    return None
                return Run(copied.path.rename(self._new_path(record, len(same) + 1)))

    def tag(self, run: Run, tags: Mapping[str, str | None]) -> None:
        """Give a run tags, and take away those that are None."""
        with self._lock():
            record = run.record
            kept = {k: v for k, v in {**record.tags, **tags}.items() if v is not None}
            run.write_record(record.model_copy(update={"tags": kept}))

    def remove(self, run: Run) -> None:
        """Delete the folder of a run for good.

        Raises:
            BusyError: a process trains it.

        """
        with TemporaryDirectory(dir=self.root, prefix=".removed-") as scratch, self._lock():
            with run.held():
                pass
            run.path.rename(Path(scratch) / "run")  # at once: what is half deleted is no run

    def _new_path(self, record: RunRecord, first: int) -> Path:
        """Return a folder that is not there yet, numbered from `first`."""
        # a crash's leavings, or a gap where a run was deleted, keep their number
        stem = as_file_name(record.name) + as_file_name(f"-{record.spec_sha256[:8]}")
        paths = (self.root / f"{stem}-{n}" for n in count(first))
        return next(path for path in paths if not path.exists())

    def all(self) -> list[Run]:
        """Return every run that can be read, the oldest first."""
        return self.scan()[0]

    def scan(self, pattern: str = "*/run.json") -> tuple[list[Run], list[str]]:
        """Return every run that can be read, the oldest first, and why the others cannot be."""
        runs: list[tuple[int, str, Run]] = []
        damaged = []
        for path in sorted(self.root.glob(pattern)):
            run = self.kind(path.parent)
            try:
                _ = run.status
                runs.append((run.record.created, run.path.name, run))
            except NotFoundError as error:
                damaged.append(str(error))
        return [run for *_, run in sorted(runs)], damaged

    def of_spec(self, sha256: str) -> list[Run]:
        """Return every run of the spec with this identity, the oldest first."""
        # a folder is called name-identity-number: no need to read all the others
        runs = self.scan(f"*-{sha256[:8]}-*/run.json")[0]
        return [run for run in runs if run.record.spec_sha256 == sha256]

    def by_spec(self) -> dict[str, list[Run]]:
        """Return every run by the identity of its spec, the oldest first."""
        runs: dict[str, list[Run]] = {}
        for run in self.all():
            runs.setdefault(run.record.spec_sha256, []).append(run)
        return runs

    def end_dead(self) -> list[Run]:
        """End every run that says RUNNING but that nobody trains any more; return those ended."""
        running = [run for run in self.all() if run.status.state == "RUNNING"]
        if not running:
            return []
        dead = []
        with self._lock():  # to try a lock is to hold it: nobody may begin a run meanwhile
            for run in running:
                # asked again: it can have ended since
                if not run.is_held() and run.status.state == "RUNNING":
                    run.set_status("KILLED", "killed", "its process ended without a word")
                    dead.append(run)
        return dead

    def find(self, wanted: str) -> Run:
        """Return the run of a folder, a name, an MLflow id, a prefix of these, or `latest`.

        A folder is the run's, or the one of its checkpoints. Of several runs with the name it is
        the newest.

        Raises:
            NotFoundError: no run, or several, answer to it.

        """
        return self.find_all(wanted)[-1]

    def find_all(self, wanted: str) -> list[Run]:
        """Return the run that `find` does, before it the older ones of the same name.

        Raises:
            NotFoundError: no run, or several, answer to it.

        """
        folder = Path(wanted)
        if folder.name == CHECKPOINTS:
            folder = folder.parent
        if os.path.isfile(folder / "run.json"):  # noqa: PTH113  the method raises for a long name
            return [Run(folder)]
        runs = self.all()
        if wanted == "latest" and runs:
            return runs[-1:]
        labels = {run: (run.name, run.path.name, run.published.run_id or "") for run in runs}
        exact = [run for run in runs if wanted in labels[run]]
        if exact:
            return exact
        begins = [run for run in runs if any(label.startswith(wanted) for label in labels[run])]
        if len(begins) == 1 and wanted:
            return begins
        some = ", ".join(run.path.name for run in (begins or runs)[-5:]) or "none yet"
        what = "several runs begin so" if begins and wanted else "there is no such run"
        raise NotFoundError(f"{wanted}: {what} in {self.root} (here: {some}){self.elsewhere()}")

    def elsewhere(self) -> str:
        """Return which folder above the working directory has runs, in words, if this has none."""
        if self.root.is_absolute() or self.root.is_dir():
            return ""
        above = (folder for folder in Path.cwd().parents if (folder / self.root).is_dir())
        folder = next(above, None)
        return f"; there are runs in {folder}: cd {os.path.relpath(folder)}" if folder else ""

    def _lock(self) -> FileLock:
        return FileLock(self.root / LOCK)


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Return what is not copied: no plain file or folder, or of a crash, or about where it was."""
    paths = [Path(folder, name) for name in names]
    plain = {p.name for p in paths if (p.is_file() or p.is_dir()) and not p.is_symlink()}
    here = {name for name in names if name.startswith(".") or name in ("lock", "published.json")}
    return set(names) - plain | here
