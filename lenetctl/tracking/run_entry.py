"""A run's entry in MLflow: found again or made, with what is known of the run from its begin."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lenetctl import specs
from lenetctl.errors import NotFoundError
from lenetctl.runs.folder import Run
from lenetctl.runs.records import DataRecord
from lenetctl.tracking.model import find_model
from lenetctl.tracking.sweeps.parent import MLFLOW_PARENT, SWEEP, sweep_parent_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow import MlflowClient

KEY = "lenetctl.run"  # tag: the folder's name, by which a run is found again
REGISTERED = "mlflow.modelVersions"  # MLflow's own tag of a model that a registered one is of
PARAMS_AT_ONCE = 100  # what one call of MLflow takes


class DeletedError(NotFoundError):
    """The user deleted in MLflow what a run is to be published into."""


def exists(client: MlflowClient, run_id: str) -> bool:
    """Return whether MLflow has a run with this id.

    Raises:
        DeletedError: it has, and the user deleted it there.

    """
    from mlflow.exceptions import MlflowException  # noqa: PLC0415  4 s, see store.open_client

    try:
        found = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return False
        raise
    if found.info.lifecycle_stage == "deleted":
        restore = f"mlflow runs restore --run-id {run_id}"
        raise DeletedError(f"it was deleted in MLflow: bring it back with `{restore}`")
    return True


def delete(client: MlflowClient, run_id: str) -> None:
    """Delete a run as MLflow's pages do, with its Logged Model unless that one is registered."""
    try:
        if not exists(client, run_id):
            return
    except DeletedError:
        return
    model = find_model(client, run_id)
    if model and REGISTERED not in model.tags:
        client.delete_logged_model(str(model.model_id))
    client.delete_run(run_id)


def find_or_create(client: MlflowClient, run: Run) -> str:
    """Return the id of the run in MLflow, made now unless an attempt before got so far."""
    record = run.record
    experiment = _experiment(client, record.experiment)
    # folders of the same name may be elsewhere, or have been here before this one
    this = f"tags.`{KEY}` = '{run.path.name}' AND attributes.start_time = {record.created}"
    found = client.search_runs([experiment], this, max_results=1)
    if found:
        made = found[0]
    else:
        tags = _tags(run)
        if SWEEP in tags:
            lock = run.path.parent / ".parent.lock"
            tags[MLFLOW_PARENT] = sweep_parent_id(
                client, experiment, tags[SWEEP], lock, record.created
            )
        made = client.create_run(
            experiment, start_time=record.created, tags=tags, run_name=record.name
        )
    run_id = str(made.info.run_id)
    log_params(client, run_id, specs.flatten(run.spec()))
    _log_dataset(client, run_id, record.data)
    return run_id


def _experiment(client: MlflowClient, name: str) -> str:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    found = client.get_experiment_by_name(name)
    if found and found.lifecycle_stage == "deleted":
        restore = f"mlflow experiments restore --experiment-id {found.experiment_id}"
        raise DeletedError(f"its experiment {name} was deleted: bring it back with `{restore}`")
    if found is None:
        try:
            return str(client.create_experiment(name))
        except MlflowException:  # another process was quicker
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    return str(found.experiment_id)


def _tags(run: Run) -> dict[str, str]:
    record = run.record
    environment = record.environment
    return {
        KEY: run.path.name,
        "lenetctl.spec_sha256": record.spec_sha256,
        "lenetctl.version": environment.lenetctl,
        "lenetctl.device": record.device,
        "lenetctl.engine": record.engine,
        "lenetctl.parameters": str(record.parameters),
        "lenetctl.command": record.command,
        **({"lenetctl.continues": record.continues} if record.continues else {}),
        "torch.version": environment.torch,
        **({"mlflow.user": record.user} if record.user else {}),
        "mlflow.source.name": "lenetctl",
        "mlflow.source.git.commit": environment.git_commit,
        "git.dirty": environment.git_dirty,
        "mlflow.note.content": run.spec().description,
        **record.tags,
    }


def log_params(client: MlflowClient, run_id: str, flat: Mapping[str, Any]) -> None:
    """Log `flat`, of which nothing may have another value already."""
    from mlflow.entities import Param  # noqa: PLC0415

    params = [Param(key, str(value)) for key, value in flat.items()]
    for start in range(0, len(params), PARAMS_AT_ONCE):
        client.log_batch(run_id, params=params[start : start + PARAMS_AT_ONCE])


def _log_dataset(client: MlflowClient, run_id: str, data: DataRecord) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag  # noqa: PLC0415

    counts = {"train": data.train, "validation": data.validation, "test": data.test}
    dataset = Dataset(
        data.name, data.digest[:36], "local", json.dumps({}), profile=json.dumps(counts)
    )
    client.log_inputs(
        run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])]
    )
