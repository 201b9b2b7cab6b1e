"""What the run that stands for a sweep says of it: how its runs ended, the best, shared keys."""

from __future__ import annotations

import math
import time
from collections import Counter
from typing import TYPE_CHECKING

from lenetctl.analysis.comparison import ranking_metric
from lenetctl.analysis.groups import ComparedRun, read_runs
from lenetctl.specs.differences import common_values
from lenetctl.tracking.run_entry import log_params
from lenetctl.tracking.sweeps.parent import Sweep, find_parent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow import MlflowClient

BEST = "lenetctl.best_run"  # tag: the folder of the run with the best score
PARAMS_NOW = "lenetctl.params_now"  # tag: what the runs have where a param is no longer true


def log_sweep(client: MlflowClient, sweep: Sweep) -> None:
    """Bring the parent of a sweep up to date with all its runs; twice changes nothing.

    Where no run is left, it is deleted.

    Raises:
        Exception: whatever MLflow raises when its store cannot be reached.

    """
    experiment = client.get_experiment_by_name(sweep.experiment)
    entry = experiment and find_parent(client, experiment.experiment_id, sweep.name)
    if not entry:
        return
    parent, known = str(entry.info.run_id), entry.data
    runs = sweep.runs()
    if not runs:
        client.delete_run(parent)
        return
    ended = [status for run in runs if (status := run.status).state != "RUNNING"]
    compared = read_runs(dict.fromkeys(runs), warn=lambda _: None)
    metrics = {f"runs/{how}": float(n) for how, n in Counter(one.outcome for one in ended).items()}
    tags = {BEST: "", PARAMS_NOW: ""}
    if finished := [one for one in compared if not one.lost]:
        metric = ranking_metric(finished)
        best = max(finished, key=lambda one: one.scores[metric])
        metrics[f"best/{metric}"] = best.scores[metric]
        tags[BEST] = best.run.path.name
    shared = common_values(one.keys for one in compared)
    log_params(client, parent, {k: v for k, v in shared.items() if k not in known.params})
    tags[PARAMS_NOW] = _params_now(known.params, compared)
    for key, value in tags.items():
        if value != known.tags.get(key, ""):
            client.set_tag(parent, key, value)
    _log_metrics(client, parent, metrics, known.metrics)
    client.set_terminated(parent, "FINISHED", max((one.ended or 0 for one in ended), default=None))


def _params_now(known: Mapping[str, str], compared: list[ComparedRun]) -> str:
    """Return the values of params that MLflow does not let us change, in words."""
    now = {key: sorted({str(one.keys.get(key)) for one in compared}) for key in known}
    return "; ".join(f"{k} {', '.join(v)}" for k, v in now.items() if v != [known[k]])


def _log_metrics(
    client: MlflowClient, parent: str, metrics: Mapping[str, float], known: Mapping[str, float]
) -> None:
    """Log what has changed: at one step, of which MLflow shows what was logged last."""
    from mlflow.entities import Metric  # noqa: PLC0415  4 s, see store.open_client

    # what it said before can only be logged again, not deleted
    no_more = {key: 0.0 if key.startswith("runs/") else math.nan for key in known}
    now = int(time.time() * 1000)
    points = [
        Metric(key, value, now, 0)
        for key, value in {**no_more, **metrics}.items()
        if str(value) != str(known.get(key))  # nan is nan
    ]
    client.log_batch(parent, points)
