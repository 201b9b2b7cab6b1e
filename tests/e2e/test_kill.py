"""SIGKILL at every named point of a run's life, and at any time: resumed, it is the same run."""

import os
import random
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from helpers import child_process
from helpers.child_process import Point
from helpers.equality import CLOCK

from lenetctl.cli.errors import UNPUBLISHED
from lenetctl.runs.store import RunStore
from lenetctl.runs.weights import load_net
from lenetctl.tracking import store
from lenetctl.training import checkpoint

SPEC = """\
data: {dataset: digits, limit: 256, batch_size: 64, validation: 100, augment: [{kind: shift}]}
model:
  conv: [{channels: 2, kernel: 5, padding: 2}, {channels: 4, kernel: 5}]
  activation: relu
  dense: [16]
  dropout: 0.1
training: {epochs: 8, optimizer: {kind: sgd, lr: 0.05, momentum: 0.9}, ema: 0.8}
"""
RESUME = "train quick.yaml --resume -q --keep-epochs"
SEED = int(os.environ.get("LENETCTL_KILL_SEED", "0"))
TRIALS, KILLS = 60, 50  # a trial can be at its end before it is killed
SIDE_BY_SIDE = 8  # random kills at a time

RUNS = "lenetctl.runs.folder.Run"
MLFLOW = "mlflow.MlflowClient"
WRITE_RUN = "lenetctl.runs.folder.write_whole"
WRITE_CHECKPOINT = "lenetctl.training.checkpoint.write_whole"
POINTS = {
    "the store half made": Point("pathlib.Path.replace", of="mlflow.db"),
    "a run half begun": Point(WRITE_RUN, of="run.json"),
    "before the first checkpoint": Point("lenetctl.training.checkpoint.write_epoch_checkpoint"),
    "in MLflow, not known here": Point(f"{MLFLOW}.create_run", when="after"),
    "in an epoch": Point("lenetctl.training.loop.Meter.add", 10),
    "measuring an epoch": Point("lenetctl.training.loop.evaluate", 3),
    "best weights torn": Point(WRITE_CHECKPOINT, when="torn", of="best.safetensors"),
    "an epoch to keep torn": Point(
        WRITE_CHECKPOINT, when="torn", of="epochs/epoch-000003.safetensors"
    ),
    "a checkpoint torn": Point(
        WRITE_CHECKPOINT, 1, "torn", of="checkpoints/epoch-000002.safetensors"
    ),
    "a checkpoint without its numbers": Point(
        WRITE_CHECKPOINT, 1, of="checkpoints/epoch-000003.json"
    ),
    "a checkpoint without its line": Point(f"{RUNS}.append_epoch", 4),
    "an epoch before publishing": Point(f"{MLFLOW}.log_batch", 2),
    "an epoch published, the cursor torn": Point(WRITE_RUN, 2, "torn", of="published.json"),
    "the last evaluation": Point("lenetctl.runs.lifecycle.evaluate_weights"),
    "the result torn": Point(WRITE_RUN, when="torn", of="result.json"),
    "the status torn": Point(WRITE_RUN, 2, "torn", of="status.json"),
    "the status set": Point(WRITE_RUN, 2, "after", of="status.json"),
    "uploading pictures": Point(f"{MLFLOW}.log_artifact", 2),
    "a model begun in MLflow": Point(f"{MLFLOW}.create_logged_model", when="after"),
    "uploading the model": Point(f"{MLFLOW}.log_model_artifacts"),
    "a model ready in MLflow": Point(f"{MLFLOW}.finalize_logged_model", when="after"),
    "the end set in MLflow": Point(f"{MLFLOW}.set_terminated", when="after"),
}
NO_STORE_YET = "the store half made"
ONE_AFTER_THE_OTHER = (
    "before the first checkpoint",
    "a checkpoint torn",
    "the last evaluation",
    "uploading the model",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, database):
    def make(*, with_store=True):
        made = tmp_path_factory.mktemp("project")
        (made / "quick.yaml").write_text(SPEC)
        if with_store:
            shutil.copy(database, made)
        return made

    return make


@pytest.fixture(scope="module")
def whole(folder):
    """What an uninterrupted run leaves."""
    project = folder()
    run(project, RESUME)
    return left_by(project)


def run(project, arguments, point=None):
    code = child_process.run(arguments, project, point)
    for _ in range(3):
        if code == UNPUBLISHED:  # a machine so slow that a command does not wait for its store
            code = child_process.run("sync", project)
    assert code == (-signal.SIGKILL if point else 0), child_process.log(project).read_text()


def left_by(project):
    """Return weights, history and MLflow's view of the last run, and that no run is RUNNING."""
    runs = RunStore(project / "mlruns/lenetctl").all()
    assert {one.status.state for one in runs} <= {"FINISHED", "KILLED"}
    last = runs[-1]
    assert last.status.state == "FINISHED"
    assert not list(last.path.rglob("*.tmp"))
    newest, warnings = checkpoint.read_newest_checkpoint(last.checkpoints)
    assert warnings == []
    client = store.open_client(f"sqlite:///{project / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("lenet").experiment_id
    statuses = {one.info.run_id: one.info.status for one in client.search_runs([experiment])}
    assert "RUNNING" not in statuses.values()
    run_id = last.published.run_id
    assert statuses[run_id] == "FINISHED"
    (model,) = (output.model_id for output in client.get_run(run_id).outputs.model_outputs)
    keys = client.get_run(run_id).data.metrics.keys() - CLOCK
    return {
        "weights": {name: value.tolist() for name, value in newest.tensors.items()},
        "chosen": {n: v.tolist() for n, v in checkpoint.read_checkpoint(last.best).tensors.items()},
        "kept": [
            {name: value.tolist() for name, value in load_net(last, epoch).state_dict().items()}
            for epoch in range(9)
        ],
        "best": (newest.numbers["best_epoch"], newest.numbers["best_accuracy"]),
        "journal": [
            {key: value for key, value in line.items() if key not in CLOCK | {"time"}}
            for line in last.epochs()
        ],
        "mlflow": {
            key: sorted((p.step, p.value) for p in client.get_metric_history(run_id, key))
            for key in keys
        },
        "artifacts": sorted(one.path for one in client.list_logged_model_artifacts(model)),
    }


def test_an_uninterrupted_run_has_all_that_is_compared(whole):
    assert [line["epoch"] for line in whole["journal"]] == list(range(1, 9))
    assert [step for step, _ in whole["mlflow"]["train/loss"]] == list(range(1, 9))
    assert {"final/test/accuracy", "best/epoch"} <= whole["mlflow"].keys()
    assert any(name.startswith("optimizer.") for name in whole["weights"])
    assert any(name.startswith("ema.") for name in whole["weights"])
    assert "MLmodel" in whole["artifacts"]


def test_killed_again_and_again(folder, whole):
    project = folder()
    for point in ONE_AFTER_THE_OTHER:
        run(project, RESUME, POINTS[point])
    run(project, RESUME)
    assert left_by(project) == whole
    assert len(RunStore(project / "mlruns/lenetctl").all()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_killed_at(folder, whole, point):
    project = folder(with_store=point != NO_STORE_YET)
    run(project, RESUME, POINTS[point])
    run(project, RESUME)
    assert left_by(project) == whole
    assert len(RunStore(project / "mlruns/lenetctl").all()) == 1
    assert not [path for path in project.iterdir() if path.name.startswith(".mlflow.db")]


@pytest.mark.slow
def test_killed_and_begun_anew(folder, whole):
    project = folder()
    anew = RESUME.replace(" --resume", "")
    run(project, anew, POINTS["before the first checkpoint"])
    run(project, anew)
    assert left_by(project) == whole
    statuses = [one.status.state for one in RunStore(project / "mlruns/lenetctl").all()]
    assert statuses == ["KILLED", "FINISHED"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [SEED])
def test_killed_at_random_times(folder, whole, seed):
    def live(project):
        started = time.monotonic()
        run(project, RESUME)
        return time.monotonic() - started

    def killed_and_resumed(project, moment):
        process = child_process.start(RESUME, project)
        process.join(moment)
        process.kill()
        process.join()
        run(project, RESUME)
        assert left_by(project) == whole, f"killed after {moment:.3f} s in {project}"
        shutil.rmtree(project)
        return process.exitcode == -signal.SIGKILL

    moments = random.Random(seed)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        life = min(pool.map(live, [folder() for _ in range(SIDE_BY_SIDE)]))
        trials = [(folder(), moments.uniform(0, life)) for _ in range(TRIALS)]
        assert sum(pool.map(killed_and_resumed, *zip(*trials, strict=True))) >= KILLS
