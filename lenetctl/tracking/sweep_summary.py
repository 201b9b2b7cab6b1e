"""What the run that stands for a sweep says of it: how its runs ended, the best, shared keys."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lenetctl.analysis.comparison import ranking_metric
from lenetctl.analysis.groups import read_runs
from lenetctl.runs.folder import Run
from lenetctl.runs.store import RunStore
from lenetctl.specs.differences import common_values
from lenetctl.tracking.run_entry import log_params
from lenetctl.tracking.sweep_parent import SWEEP, parent_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

BEST = "lenetctl.best_run"  # tag: the folder of the run with the best score


def log_sweep(client: MlflowClient, run: Run) -> None:
    """Bring the parent of `run` up to date with all runs of its sweep; twice changes nothing.

    Raises:
        NotFoundError: `run` is not in MLflow as a child of a sweep.
        Exception: whatever MLflow raises when its store cannot be reached.

    """
    from mlflow.entities import Metric, RunTag  # noqa: PLC0415  4 s, see store.open_client

    parent, record = parent_of(client, [run]), run.record
    same = (record.tags.get(SWEEP), record.experiment)
    everything = RunStore(run.path.parent).all()
    runs = [
        one for one in everything if (one.record.tags.get(SWEEP), one.record.experiment) == same
    ]
    ended = [status for one in runs if (status := one.status).state != "RUNNING"]
    metrics = {f"runs/{how}": float(n) for how, n in Counter(one.outcome for one in ended).items()}
    compared = read_runs(dict.fromkeys(runs), warn=lambda _: None)
    finished = [one for one in compared if not one.lost]
    tags = []
    if finished:
        metric = ranking_metric(finished)
        best = max(finished, key=lambda one: one.scores[metric])
        metrics[f"best/{metric}"] = best.scores[metric]
        tags.append(RunTag(BEST, best.run.path.name))
    now = max((status.ended or 0 for status in ended), default=0)
    points = [Metric(key, value, now, len(ended)) for key, value in metrics.items()]
    client.log_batch(parent, points, tags=tags)
    known = client.get_run(parent).data.params
    shared = common_values(one.keys for one in compared)
    log_params(client, parent, {key: value for key, value in shared.items() if key not in known})
    client.set_terminated(parent, "FINISHED", now)
