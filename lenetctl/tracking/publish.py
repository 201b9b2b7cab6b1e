"""One run's folder into MLflow, from wherever the last attempt ended.

`published.json` in the folder is the cursor. Publishing twice changes nothing; with the database
gone it begins again and gives the same run.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from lenetctl import specs
from lenetctl.runs.folder import Run
from lenetctl.tracking.model import save_model
from lenetctl.tracking.store import redacted
from lenetctl.tracking.sweep_parent import MLFLOW_PARENT, SWEEP, sweep_parent_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mlflow import MlflowClient

KEY = "lenetctl.run"  # tag: the folder's name, by which a run is found again
PARAMS_AT_ONCE = 100  # what one call of MLflow takes


def publish(client: MlflowClient, tracking_uri: str, run: Run) -> None:
    """Bring MLflow up to date with `run`.

    Raises:
        Exception: whatever MLflow raises when its store cannot be reached; call again later.

    """
    done = run.published
    if done.get("tracking_uri") != redacted(tracking_uri) or not _exists(client, done["run_id"]):
        done = {"tracking_uri": redacted(tracking_uri), "run_id": _begin(client, run), "epochs": 0}
        run.write("published.json", done)
    status, run_id = run.status, done["run_id"]
    for line in run.epochs()[done["epochs"] :]:
        _log_metrics(client, run_id, line, _per_epoch(line))
        done["epochs"] += 1
        run.write("published.json", done)
    _log_evaluations(client, run, done)
    _log_activations(client, run, done)
    if done.get("status") == status["status"]:
        return
    if status["status"] == "FINISHED":
        _log_results(client, run_id, run)
    client.set_tag(run_id, "outcome", status["outcome"])
    if status["status"] == "RUNNING":
        client.update_run(run_id, "RUNNING")
    else:
        client.set_terminated(run_id, status["status"], status["ended"])
    run.write("published.json", done | {"status": status["status"]})


def is_current(run: Run, tracking_uri: str) -> bool:
    """Return whether MLflow has all of `run`, by its cursor."""
    done = run.published
    return (
        done.get("tracking_uri") == redacted(tracking_uri)
        and done.get("status") == run.status["status"]
        and done["epochs"] == len(run.epochs())
        and done.get("evaluations", {}) == _evaluations(run)
        and done.get("activations", {}) == _activations(run)
    )


def _exists(client: MlflowClient, run_id: str) -> bool:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415  4 s, see store.client

    try:
        client.get_run(run_id)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return False
        raise
    return True


def _begin(client: MlflowClient, run: Run) -> str:
    """Return the id of the run in MLflow, made now unless an attempt before got so far."""
    record = run.record
    experiment = _experiment(client, record["experiment"])
    # folders of the same name may be elsewhere, or have been here before this one
    this = f"tags.`{KEY}` = '{run.path.name}' AND attributes.start_time = {record['created']}"
    found = client.search_runs([experiment], this, max_results=1)
    if found:
        made = found[0]
    else:
        tags = _tags(run)
        if SWEEP in tags:
            lock = run.path.parent / ".parent.lock"
            tags[MLFLOW_PARENT] = sweep_parent_id(client, experiment, tags[SWEEP], lock)
        made = client.create_run(
            experiment, start_time=record["created"], tags=tags, run_name=record["name"]
        )
    run_id = str(made.info.run_id)
    _log_params(client, run_id, specs.flatten(run.spec()))
    _log_dataset(client, run_id, record["data"])
    return run_id


def _experiment(client: MlflowClient, name: str) -> str:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    found = client.get_experiment_by_name(name)
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
    environment = record["environment"]
    return {
        KEY: run.path.name,
        "lenetctl.spec_sha256": record["spec_sha256"],
        "lenetctl.version": environment["lenetctl"],
        "lenetctl.device": record["device"],
        "lenetctl.training": record["engine"],
        "lenetctl.parameters": str(record["parameters"]),
        "lenetctl.command": record["command"],
        "torch.version": environment["torch"],
        "mlflow.source.name": "lenetctl",
        "mlflow.source.git.commit": environment["git_commit"],
        "git.dirty": environment["git_dirty"],
        "mlflow.note.content": run.spec().description,
        **record["tags"],
    }


def _log_params(client: MlflowClient, run_id: str, flat: Mapping[str, Any]) -> None:
    from mlflow.entities import Param  # noqa: PLC0415

    params = [Param(key, str(value)) for key, value in flat.items()]
    for start in range(0, len(params), PARAMS_AT_ONCE):
        client.log_batch(run_id, params=params[start : start + PARAMS_AT_ONCE])


def _log_dataset(client: MlflowClient, run_id: str, data: Mapping[str, Any]) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag  # noqa: PLC0415

    counts = {key: data[key] for key in ("train", "validation", "test")}
    dataset = Dataset(
        data["name"], data["digest"][:36], "local", json.dumps({}), profile=json.dumps(counts)
    )
    client.log_inputs(
        run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])]
    )


def _log_metrics(
    client: MlflowClient, run_id: str, line: Mapping[str, float], metrics: Mapping[str, float]
) -> None:
    from mlflow.entities import Metric  # noqa: PLC0415

    # the journal's own time: the same line sent twice is stored once
    step, time = int(line["epoch"]), int(line["time"])
    client.log_batch(run_id, [Metric(key, value, time, step) for key, value in metrics.items()])


def _per_epoch(line: Mapping[str, float]) -> dict[str, float]:
    return {key: value for key, value in line.items() if key not in ("epoch", "time")}


def _log_results(client: MlflowClient, run_id: str, run: Run) -> None:
    last = run.epochs()[-1]
    _log_metrics(client, run_id, last, dict(_summary(run.result)))
    client.log_artifact(run_id, str(run.path / "spec.yaml"))
    for figure in sorted(run.figures.glob("[!.]*")):
        client.log_artifact(run_id, str(figure))
    with save_model(run) as folder:
        client.log_artifacts(run_id, str(folder), "model")


def _evaluations(run: Run) -> dict[str, str]:
    """Return the digest of each evaluation by its name."""
    paths = sorted((run.path / "evaluations").glob("*.json"))
    return {path.stem: _digest(path) for path in paths}


def _activations(run: Run) -> dict[str, str]:
    """Return the digest of each file about activations by its name."""
    paths = sorted((run.path / "activations").glob("[!.]*"))  # not what a crash left half written
    return {path.name: _digest(path) for path in paths}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _log_evaluations(client: MlflowClient, run: Run, done: dict[str, Any]) -> None:
    """Log what `lenetctl eval` left in the folder and MLflow does not have yet."""
    known = done.setdefault("evaluations", {})
    for name, digest in _evaluations(run).items():
        if known.get(name) == digest:
            continue
        path = run.path / "evaluations" / f"{name}.json"
        measured = json.loads(path.read_bytes())
        when = {"epoch": 0, "time": path.stat().st_mtime_ns // 1_000_000}
        metrics = {f"eval/{name}/{key}": measured[key] for key in ("loss", "accuracy")}
        _log_metrics(client, done["run_id"], when, metrics)
        for file in (path, path.with_suffix(".png")):
            client.log_artifact(done["run_id"], str(file), "evaluations")
        known[name] = digest
        run.write("published.json", done)


def _log_activations(client: MlflowClient, run: Run, done: dict[str, Any]) -> None:
    """Log what `lenetctl activations` left in the folder and MLflow does not have yet."""
    known = done.setdefault("activations", {})
    for name, digest in _activations(run).items():
        if known.get(name) != digest:
            client.log_artifact(done["run_id"], str(run.path / "activations" / name), "activations")
            known[name] = digest
            run.write("published.json", done)


def _summary(result: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for prefix in ("best", "final"):
        for key, value in result[prefix].items():
            yield f"{prefix}/{key}", value
    if result["weights"] == "best":  # the test set was read once, at the end
        for key in ("test/loss", "test/accuracy"):
            yield key, result["final"][key]
