"""PostgreSQL below MLflow's server and below searches.

uv run --extra postgresql --extra ray pytest -m slow …
"""

import json
import os
import signal

import optuna
import pytest
from helpers import postgres
from helpers.mlflow_server import Server
from helpers.waiting import wait_for
from mlflow import MlflowClient

from lenetctl.runs.store import RunStore

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(postgres.missing()), reason=postgres.missing()),
]
pytest.importorskip("psycopg", reason="no driver: uv run --extra postgresql")
PATIENCE = 300  # seconds, on a machine that others use too
SEARCH = ("--search", "random", "-g", "training.optimizer.lr={low: 0.01, high: 0.5, log: true}")
SHORT = ("-s", "data.validation=100", "-s", "training.epochs=2", "--confirm", "1")


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """The URI of an MLflow server on PostgreSQL, and that of another database there."""
    with postgres.started("mlflow", "optuna") as (for_mlflow, for_optuna):
        server = Server(tmp_path_factory.mktemp("served") / "server", for_mlflow)
        yield server.uri, for_optuna
        server.kill()


@pytest.fixture(params=["processes", "ray"])
def executor(request, monkeypatch):  # before `start`, which takes the environment as it is
    if request.param == "ray":
        pytest.importorskip("ray", reason="Ray is not installed: uv run --extra ray")
        from ray.cluster_utils import Cluster

        cluster = Cluster()
        for cpus in (0, 1, 1):  # a head, which does no work, and two nodes
            cluster.add_node(num_cpus=cpus, include_dashboard=False)
        monkeypatch.setenv("RAY_ADDRESS", cluster.address)
        yield ("--executor", "ray")
        cluster.shutdown()
    else:
        yield ("--executor", request.param, "--jobs", "2")


def finish(process):
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def epochs(project):
    return sum(len(run.epochs()) for run in RunStore(project / "mlruns/lenetctl").all())


def test_mlflow_has_a_whole_sweep(project, stores, executor, start):
    uri, _ = stores
    experiment = f"sweep-{executor[1]}"
    named = ("--tracking-uri", uri, "--experiment", experiment, "-s", "training.epochs=3")
    code, _, err = finish(
        start("lenetctl", "sweep", "quick.yaml", "--seeds", "0,1,2", *named, *executor)
    )
    assert code == 0, err
    client = MlflowClient(uri)
    found = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    by_id = {run.info.run_id: run for run in found}
    assert {run.info.status for run in found} == {"FINISHED"}
    runs = RunStore(project / "mlruns/lenetctl").all()
    assert len(runs) == 3
    assert len(found) == 4  # one stands for the sweep
    for run in runs:
        told = by_id[run.published.run_id]
        points = client.get_metric_history(told.info.run_id, "train/loss")
        assert sorted((p.step, p.value) for p in points) == [
            (line["epoch"], line["train/loss"]) for line in run.epochs()
        ]
        assert "spec.yaml" in {file.path for file in client.list_artifacts(told.info.run_id)}


def test_a_search_whose_driver_is_killed_goes_on(project, stores, executor, start):
    uri, storage = stores
    settings = ("-s", f"training.seed={len(executor[1])}")  # another study for each executor
    command = (
        *("lenetctl", "sweep", "quick.yaml", *SEARCH, *SHORT, *settings, "--trials", "5"),
        *("--storage", storage, "--tracking-uri", uri, "--json", *executor),
    )
    code, out, err = finish(start(*command, "--dry-run"))  # before and after there are tables
    assert code == 0, err
    assert json.loads(out)["counts"] == {"planned": 5}
    process = start(*command)
    wait_for(lambda: epochs(project) >= 3, seconds=PATIENCE)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    code, out, err = finish(start(*command))
    assert code == 0, err
    assert json.loads(out)["confirmed"]["searched"] > 0.1
    code, out, err = finish(start(*command))
    assert code == 0, err
    assert json.loads(out)["counts"] == {"skipped": 1}  # the winner's fresh seed
    ended = [
        trial
        for name in optuna.get_all_study_names(storage)
        for trial in optuna.load_study(study_name=name, storage=storage).trials
        if "lenetctl.ended" in trial.user_attrs
    ]
    assert len(ended) % 5 == 0
    assert not (project / "optuna.db").exists()


def test_one_process_at_a_time_is_at_a_search(project, start, stores):
    _, storage = stores
    long = ("-s", "data.validation=100", "-s", "training.seed=99", "--trials", "5")
    command = ("lenetctl", "sweep", "quick.yaml", *SEARCH, *long, "--storage", storage)
    start(*command)
    wait_for(lambda: epochs(project) >= 1, seconds=PATIENCE)
    code, _, err = finish(start(*command))
    assert code == 75, err
    assert "another process is at this search" in err
