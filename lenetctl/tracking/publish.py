"""One run's folder into MLflow, from wherever the last attempt ended.

`published.json` in the folder is the cursor. Publishing twice changes nothing; with the database
gone it begins again and gives the same run.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from filelock import FileLock

from lenetctl.errors import NotFoundError
from lenetctl.runs.folder import PREDICTIONS, Run
from lenetctl.runs.records import EvaluationRecord, PublishedRecord, ResultRecord, StatusRecord
from lenetctl.tracking.model import find_model, log_model
from lenetctl.tracking.run_entry import exists, find_or_create
from lenetctl.tracking.uri import sqlite_file, uri_in_cursor

FOLDERS = ("activations", "insights")  # of a run, which commands add files to
METRICS_AT_ONCE = 1000  # what one call of MLflow takes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from mlflow import MlflowClient
    from mlflow.entities import Metric


def publish(
    client: MlflowClient,
    tracking_uri: str,
    run: Run,
    prepare: Callable[[Run], None] = lambda _: None,
) -> None:
    """Bring MLflow up to date with `run`; `prepare` draws what a finished one's folder lacks.

    Raises:
        NotFoundError: the run has been deleted.
        Exception: whatever MLflow raises when its store cannot be reached; call again later.

    """
    if not run.path.is_dir():  # the lock would make it anew
        raise NotFoundError(f"{run.path}: no such run")
    # commands at one spec at once publish its run, too: the second finds it done
    with FileLock(run.path / ".publishing.lock"):
        status = run.status  # once: what ends from here on is drawn and published next time
        if status.state == "FINISHED":
            prepare(run)
        _bring_up_to_date(client, tracking_uri, run, status)


def _bring_up_to_date(
    client: MlflowClient, tracking_uri: str, run: Run, status: StatusRecord
) -> None:
    from mlflow.entities import RunTag  # noqa: PLC0415

    where, run_id = uri_in_cursor(tracking_uri, run), run.published.run_id
    if run_id is None or run.published.tracking_uri != where or not exists(client, run_id):
        run_id = find_or_create(client, run)
        run.write_record(PublishedRecord(tracking_uri=where, run_id=run_id))
    _log_epochs(client, run_id, run)
    _set_tags(client, run_id, run)
    _log_evaluations(client, run_id, run)
    for folder in FOLDERS:
        _log_folder(client, run_id, run, folder)
    if run.published.status == status.state:
        return
    results: list[Metric] = []
    if status.state == "FINISHED":
        results = _results(run, log_model(client, run_id, run))
        _log_files(client, run_id, run)
    client.log_batch(run_id, results, tags=[RunTag("outcome", status.outcome)])
    if status.state == "RUNNING":
        client.update_run(run_id, "RUNNING")
    else:
        client.set_terminated(run_id, status.state, status.ended)
    _advance(run, status=status.state)


def is_current(run: Run, tracking_uri: str) -> bool:
    """Return whether MLflow has all of `run`, by its cursor and where there is a store at all."""
    database = sqlite_file(tracking_uri)
    if database and not database.exists():
        return False
    return run.published == PublishedRecord(
        tracking_uri=uri_in_cursor(tracking_uri, run),
        run_id=run.published.run_id,
        epochs=len(run.epochs()),
        evaluations=_digests(_evaluations(run)),
        tags=run.record.own_tags,
        **{folder: _digests(_files(run, folder)) for folder in FOLDERS},
        status=run.status.state,
    )


def _advance(run: Run, **changes: object) -> None:
    """Write down that MLflow has more of the run."""
    run.write_record(run.published.model_copy(update=changes))


def _set_tags(client: MlflowClient, run_id: str, run: Run) -> None:
    """Bring the user's tags up to date: `lenetctl runs tag` gives them and takes them away."""
    tags, known = run.record.own_tags, run.published.tags
    if tags == known:
        return
    there = client.get_run(run_id).data.tags
    for key, value in tags.items():
        client.set_tag(run_id, key, value)
    for key in (known.keys() - tags.keys()) & there.keys():
        client.delete_tag(run_id, key)
    _advance(run, tags=tags)


def _log_epochs(client: MlflowClient, run_id: str, run: Run) -> None:
    """Log the lines of the journal that MLflow does not have yet, as many as it takes at once."""
    lines = run.epochs()[run.published.epochs :]
    at_once = METRICS_AT_ONCE // max(map(len, lines), default=1)
    for start in range(0, len(lines), at_once):
        some = lines[start : start + at_once]
        client.log_batch(run_id, [point for line in some for point in _points(line, line)])
        _advance(run, epochs=run.published.epochs + len(some))


def _points(
    line: Mapping[str, float], metrics: Mapping[str, float], model_id: str | None = None
) -> list[Metric]:
    """Return `metrics` as of an epoch's line, of the Logged Model too where there is one yet."""
    from mlflow.entities import Metric  # noqa: PLC0415

    # the journal's own time: the same line sent twice is stored once
    step, time = int(line["epoch"]), int(line["time"])
    return [
        Metric(key, value, time, step, model_id)
        for key, value in metrics.items()
        if key not in ("epoch", "time")
    ]


def _results(run: Run, model_id: str) -> list[Metric]:
    """Return the metrics of a finished run, its model's too."""
    metrics = {**run.result.final, **dict(_summary(run.result))}
    return _points(run.epochs()[-1], metrics, model_id)


def _log_files(client: MlflowClient, run_id: str, run: Run) -> None:
    kept = [file for file in (run.path / PREDICTIONS,) if file.exists()]
    for file in (run.path / "spec.yaml", *kept, *sorted(run.figures.glob("[!.]*"))):
        client.log_artifact(run_id, str(file))


def _summary(result: ResultRecord) -> Iterator[tuple[str, float]]:
    for prefix, metrics in (("best", result.best), ("final", result.final)):
        for key, value in metrics.items():
            yield f"{prefix}/{key}", value
    if result.weights == "best":  # the test set was read once, at the end
        yield from ((key, value) for key, value in result.final.items() if key.startswith("test/"))


def _evaluations(run: Run) -> dict[str, Path]:
    """Return the file of each evaluation by its name."""
    return {path.stem: path for path in sorted(run.evaluations.glob("*.json"))}


def _files(run: Run, folder: str) -> dict[str, Path]:
    """Return each file of a folder by its name, but for what a crash left half written."""
    return {path.name: path for path in sorted((run.path / folder).glob("[!.]*"))}


def _digests(files: Mapping[str, Path]) -> dict[str, str]:
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}


def _log_evaluations(client: MlflowClient, run_id: str, run: Run) -> None:
    """Log what `lenetctl eval` left in the folder and MLflow does not have yet."""
    files = _evaluations(run)
    for name, digest in _digests(files).items():
        known = run.published.evaluations
        if known.get(name) == digest:
            continue
        path = files[name]
        measured = EvaluationRecord.model_validate_json(path.read_bytes())
        when = {"epoch": 0, "time": path.stat().st_mtime_ns // 1_000_000}
        metrics = {
            f"eval/{name}/loss": measured.loss,
            f"eval/{name}/accuracy": measured.accuracy,
        }
        model = find_model(client, run_id)
        client.log_batch(run_id, _points(when, metrics, str(model.model_id) if model else None))
        for file in (path, path.with_suffix(".png")):
            client.log_artifact(run_id, str(file), "evaluations")
        _advance(run, evaluations={**known, name: digest})


def _log_folder(client: MlflowClient, run_id: str, run: Run, folder: str) -> None:
    """Log what a command left in a folder of the run and MLflow does not have yet."""
    files = _files(run, folder)
    for name, digest in _digests(files).items():
        known = getattr(run.published, folder)
        if known.get(name) != digest:
            client.log_artifact(run_id, str(files[name]), folder)
            _advance(run, **{folder: {**known, name: digest}})
