"""Which run `train --resume` goes on with."""

from pathlib import Path

from lenetctl import specs
from lenetctl.cli.find_run import find_run
from lenetctl.errors import CheckpointError
from lenetctl.runs.folder import Run
from lenetctl.runs.store import RunStore
from lenetctl.specs.differences import difference_text, differing_keys
from lenetctl.specs.schema import Spec
from lenetctl.tracking.uri import choose_uri
from lenetctl.tracking.writer import outstanding


def named_run(run: str) -> Run:
    """Return the run that `--resume RUN` names; a dead one is ended first."""
    RunStore().end_dead()
    return find_run(run)


def spec_file_of(run: Run | None) -> Path:
    """Return the spec that a run was begun with."""
    assert run is not None, "without a SPEC there is a RUN"  # noqa: S101
    return run.path / "spec.yaml"


def run_to_resume(run: Run | None, spec: Spec, tracking_uri: str | None) -> Run | None:
    """Return the run to go on with: `run`, else the latest of `spec` that did not get to its end.

    With more epochs than those of `run`, a new run goes on from it.

    A run that finished and was killed before MLflow had it all is not trained a second time.

    Raises:
        CheckpointError: `run` is of another spec.

    """
    identity = specs.sha256(spec)
    if run is None:
        store = RunStore()
        store.end_dead()
        runs = [run for run in store.of_spec(identity) if not run.record.imported]
        unfinished = [run for run in runs if not run.is_finished]
        unpublished = outstanding(runs, choose_uri(tracking_uri))
        return next(reversed(unfinished or unpublished), None)
    there, here = specs.flatten(run.spec()), specs.flatten(spec)
    if run.record.spec_sha256 != identity and differing_keys([there, here]) != ["training.epochs"]:
        differences = difference_text(there, here)
        raise CheckpointError(f"{run.path.name} is a run of another spec: {differences}")
    return run
