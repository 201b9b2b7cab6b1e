"""Which run `train --resume` goes on with."""

from pathlib import Path

from lenetctl import specs
from lenetctl.errors import CheckpointError
from lenetctl.runs.folder import Run
from lenetctl.runs.store import RunStore
from lenetctl.specs.differences import difference_text
from lenetctl.specs.schema import Spec
from lenetctl.tracking.uri import choose_uri
from lenetctl.tracking.writer import outstanding


def named_run(run: str) -> Run:
    """Return the run that `--resume RUN` names; a dead one is ended first."""
    store = RunStore()
    store.end_dead()
    return store.find(run)


def spec_file_of(run: Run | None) -> Path:
    """Return the spec that a run was begun with."""
    assert run is not None, "without a SPEC there is a RUN"  # noqa: S101
    return run.path / "spec.yaml"


def run_to_resume(run: Run | None, spec: Spec, tracking_uri: str | None) -> Run | None:
    """Return the run to go on with: `run`, else the latest of `spec` that did not get to its end.

    A run that finished and was killed before MLflow had it all is not trained a second time.

    Raises:
        CheckpointError: `run` is of another spec.

    """
    identity = specs.sha256(spec)
    if run is None:
        store = RunStore()
        store.end_dead()
        runs = store.of_spec(identity)
        unfinished = [run for run in runs if not run.is_finished]
        unpublished = outstanding(runs, choose_uri(tracking_uri))
        return next(reversed(unfinished or unpublished), None)
    if run.record.spec_sha256 != identity:
        differences = difference_text(specs.flatten(run.spec()), specs.flatten(spec))
        raise CheckpointError(f"{run.path.name} is a run of another spec: {differences}")
    return run
