"""Tracking that is not there when a run wants it: a real server, a real database."""

import os
import shutil
import signal
import sqlite3
import time
from functools import partial

import pytest
from helpers import child_process
from helpers.mlflow_server import Server
from helpers.waiting import wait_for as waited
from mlflow import MlflowClient

from lenetctl.runs.store import RunStore

SPEC = """\
data: {dataset: digits, batch_size: 32}
model: {activation: relu}
training: {epochs: 100, optimizer: {kind: sgd, lr: 0.05}}
"""
DOWN = "http://ann:hunter2@127.0.0.1:1"  # nothing listens on port 1
PATIENCE = 600  # seconds, on a machine that others use too
wait_for = partial(waited, seconds=PATIENCE)


@pytest.fixture
def folder(tmp_path, database):
    path = tmp_path / "project"
    path.mkdir()
    shutil.copy(database, path)
    (path / "quick.yaml").write_text(SPEC)
    return path


def run_of(folder):
    return RunStore(folder / "mlruns/lenetctl").all()[0]


def epochs(folder):
    return [
        line["epoch"] for run in RunStore(folder / "mlruns/lenetctl").all() for line in run.epochs()
    ]


def published(folder):
    runs = RunStore(folder / "mlruns/lenetctl").all()
    return max((run.published.epochs for run in runs), default=0)


def is_whole(folder, uri):
    """Compare the history of the only run in MLflow with its journal."""
    run = run_of(folder)
    client = MlflowClient(uri)
    (experiment,) = client.search_experiments(filter_string="name = 'lenet'")
    (found,) = client.search_runs([experiment.experiment_id])
    assert found.info.status == run.status.state == "FINISHED"
    points = client.get_metric_history(found.info.run_id, "train/loss")
    journal = [(line["epoch"], line["train/loss"]) for line in run.epochs()]
    assert sorted((point.step, point.value) for point in points) == journal
    assert len(journal) == run.spec().training.epochs
    return True


@pytest.mark.slow
def test_a_server_that_dies_and_returns_has_the_whole_history(folder, tmp_path):
    server = Server(tmp_path / "server")
    training = child_process.start(f"train quick.yaml -q --tracking-uri {server.uri}", folder)
    try:
        wait_for(lambda: published(folder) >= 3)
        server.kill()
        at = len(epochs(folder))
        wait_for(lambda: len(epochs(folder)) >= at + 20)
        server.start()
        training.join(PATIENCE)
        assert training.exitcode == 0, child_process.log(folder).read_text()
        assert is_whole(folder, server.uri)
        said = child_process.log(folder).read_text()
        assert said.count("warning:") == 1
        assert "is behind, training goes on" in said
    finally:
        training.kill()
        server.kill()


@pytest.mark.slow
def test_a_server_down_at_the_start_is_5_and_sync_publishes_later(folder):
    environment = {"MLFLOW_TRACKING_URI": DOWN}
    started = time.monotonic()
    training = child_process.start(
        "train quick.yaml -s training.epochs=3", folder, None, environment
    )
    wait_for(lambda: "is behind" in child_process.log(folder).read_text())
    assert time.monotonic() - started < 60  # ten on an idle machine; tests share theirs
    training.join(PATIENCE)
    said = child_process.log(folder).read_text()
    assert training.exitcode == 5, said
    assert "lenetctl sync" in said
    assert "hunter2" not in said
    assert b"hunter2" not in b"".join(f.read_bytes() for f in folder.rglob("*") if f.is_file())
    for _ in range(2):
        assert child_process.run("sync", folder) == 0
        assert is_whole(folder, f"sqlite:///{folder}/mlflow.db")


@pytest.mark.slow
def test_a_database_locked_for_30_s_stops_nothing(folder, tmp_path):
    training = child_process.start("train quick.yaml -q", folder)
    wait_for(lambda: published(folder) >= 3)
    with sqlite3.connect(folder / "mlflow.db", timeout=30) as database:
        database.execute("BEGIN EXCLUSIVE")
        at, locked = len(epochs(folder)), time.monotonic()
        wait_for(lambda: len(epochs(folder)) >= at + 20)
        time.sleep(max(0, locked + 30 - time.monotonic()))
        database.rollback()
    training.join(PATIENCE)
    assert training.exitcode == 0, child_process.log(folder).read_text()
    assert is_whole(folder, f"sqlite:///{folder}/mlflow.db")


@pytest.mark.slow
def test_the_same_run_started_twice_is_75(folder):
    training = child_process.start("train quick.yaml -q", folder)
    wait_for(lambda: epochs(folder))
    try:
        for again in ("train quick.yaml", "train quick.yaml --resume"):
            assert child_process.run(again, folder) == 75
        said = child_process.log(folder).read_text()
        assert said.count(f"is being trained by process {training.pid}") == 2
    finally:
        os.kill(training.pid, signal.SIGKILL)
    assert len(RunStore(folder / "mlruns/lenetctl").all()) == 1
