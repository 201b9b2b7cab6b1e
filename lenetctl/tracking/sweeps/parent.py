"""The run in MLflow that the runs of a sweep are children of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from filelock import FileLock

from lenetctl.errors import NotFoundError
from lenetctl.runs.folder import Run
from lenetctl.runs.store import RunStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlflow import MlflowClient
    from mlflow.entities import Run as Entry

MLFLOW_PARENT = "mlflow.parentRunId"  # MLflow's own tag, which its UI folds children by
SWEEP = "lenetctl.sweep"  # tag of the children, for a flat search
PARENT = "lenetctl.sweep_parent"  # tag of the parent, by which it is found again

# the ids of those found, by experiment and sweep
_PARENTS: WeakKeyDictionary[MlflowClient, dict[tuple[str, str], str]] = WeakKeyDictionary()


class Sweep(NamedTuple):
    """What the runs of one sweep have in common."""

    root: Path  # of their folders
    experiment: str
    name: str

    def runs(self) -> list[Run]:
        """Return those that are there."""
        return [run for run in RunStore(self.root).all() if sweep_of(run) == self]


def sweep_of(run: Run) -> Sweep | None:
    """Return the sweep that `run` is of, if it is of one."""
    record = run.record
    name = record.tags.get(SWEEP)
    return Sweep(run.path.parent, record.experiment, name) if name else None


def sweep_parent_id(
    client: MlflowClient, experiment: str, sweep: str, lock: Path, started: int
) -> str:
    """Return the id of the run that stands for `sweep`, made where there is none.

    Its time begins with its first run's, `started` (ms since 1970). It is ended as soon as it is
    made, so that no crash can leave it RUNNING, and once more when the sweep is. A client looks for
    it once, for that search costs a server more than any other request for a run; so it does not
    see that the parent is deleted meanwhile.
    """
    known = _PARENTS.setdefault(client, {})
    if (experiment, sweep) not in known:
        with FileLock(lock):  # one process at a time, or there were two
            parent = find_parent(client, experiment, sweep)
            if parent is None:
                parent = client.create_run(experiment, started, {PARENT: sweep}, run_name=sweep)
                client.set_terminated(parent.info.run_id, "FINISHED")
            known[experiment, sweep] = str(parent.info.run_id)
    return known[experiment, sweep]


def find_parent(client: MlflowClient, experiment: str, sweep: str) -> Entry | None:
    """Return the run that stands for `sweep` in the experiment with this id, if there is one."""
    # compared here, because a filter has no way to write a name with both kinds of quotes
    parents = client.search_runs([experiment], f"tags.`{PARENT}` LIKE '%'")
    return next((run for run in parents if run.data.tags[PARENT] == sweep), None)


def log_into_parent(client: MlflowClient, runs: Iterable[Run], files: Iterable[Path]) -> None:
    """Keep `files` as artifacts of the run that stands for the sweep of `runs`.

    Raises:
        NotFoundError: none of them is in MLflow as a child of a sweep.
        Exception: whatever MLflow raises when its store cannot be reached.

    """
    ids = (run.published.run_id for run in runs)
    parents = (client.get_run(run_id).data.tags.get(MLFLOW_PARENT) for run_id in ids if run_id)
    parent = next(filter(None, parents), None)
    if parent is None:
        raise NotFoundError("the sweep is not in MLflow: run `lenetctl sync`")
    for file in files:
        client.log_artifact(parent, str(file))
