"""Which run `train --resume` goes on with."""

from pathlib import Path

from lenetctl import specs
from lenetctl.errors import CheckpointError
from lenetctl.runs.folder import Run
from lenetctl.runs.store import ROOT, find, of_spec, settle
from lenetctl.specs.differences import difference_text
from lenetctl.specs.schema import Spec
from lenetctl.tracking import store
from lenetctl.tracking.writer import outstanding


def named_run(run: str) -> Run:
    """Return the run that `--resume RUN` names; a dead one is ended first."""
    settle(ROOT)
    return find(ROOT, run)


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
        settle(ROOT)
        begun = of_spec(ROOT, identity)
        unfinished = [one for one in begun if one.status["status"] != "FINISHED"]
        return [None, *outstanding(begun, store.choose_uri(tracking_uri)), *unfinished][-1]
    if run.record["spec_sha256"] != identity:
        differences = difference_text(specs.flatten(run.spec()), specs.flatten(spec))
        raise CheckpointError(f"{run.path.name} is a run of another spec: {differences}")
    return run
