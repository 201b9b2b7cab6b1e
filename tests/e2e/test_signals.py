import os
import pty
import re
import select
import shutil
import signal
import socket
import time
import urllib.request

import psutil
import pytest
from helpers.waiting import wait_for
from mlflow import MlflowClient

from lenetctl.runs.store import RunStore
from lenetctl.training import checkpoint


@pytest.fixture
def in_training(start, project):
    """Train quick.yaml up to a line of its output and return the process and its run."""

    def begin(until="epoch  3/60"):
        process = start("lenetctl", "train", "quick.yaml")
        for line in process.stdout:
            if line.startswith(until):
                break
        else:
            pytest.fail(process.stderr.read())
        (run,) = RunStore(project / "mlruns/lenetctl").all()
        return process, run

    return begin


def in_mlflow(project, run):
    """Return status and steps of a run, as a plain client sees them."""
    client = MlflowClient(f"sqlite:///{project / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("lenet")
    found = [
        one
        for one in client.search_runs([experiment.experiment_id])
        if one.data.tags["lenetctl.run"] == run.path.name
    ]
    assert len(found) == 1
    history = client.get_metric_history(found[0].info.run_id, "train/loss")
    return found[0].info.status, [point.step for point in history]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_stopped_within_seconds_and_resumed_to_the_end(
    in_training, run_to_end, project, number, code
):
    process, run = in_training()
    process.send_signal(number)
    sent = time.monotonic()
    _, errors = process.communicate(timeout=60)
    assert time.monotonic() - sent < 30  # two on an idle machine; tests share theirs
    assert process.returncode == code
    assert run.status.state == "KILLED"
    assert len(run.epochs()) >= 3
    assert f"lenetctl train --resume {run.path.name}" in errors
    assert "Traceback" not in errors

    run_to_end("lenetctl", "train", "--resume", run.path.name, "-q")
    assert run.status.state == "FINISHED"
    assert in_mlflow(project, run) == ("FINISHED", list(range(1, 61)))


@pytest.mark.slow
@pytest.mark.parametrize("pause", [0.0, 0.05, 0.5], ids=lambda pause: f"{pause} s")
def test_stopped_twice_it_ends_at_once_with_a_valid_checkpoint(
    in_training, run_to_end, project, pause
):
    process, run = in_training()
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(pause)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert run.status.state != "FINISHED"
    last, warnings = checkpoint.read_newest_checkpoint(run.checkpoints)
    assert (last.numbers["epoch"] >= 3, warnings) == (True, [])
    run_to_end("lenetctl", "train", "--resume", run.path.name, "-q")
    assert in_mlflow(project, run) == ("FINISHED", list(range(1, 61)))


@pytest.mark.slow
def test_training_goes_on_and_ends_quietly_when_nobody_reads(start, project):
    process = start("sh", "-c", "{ lenetctl train quick.yaml; echo code $? >&2; } | head -1")
    out, errors = process.communicate(timeout=180)
    assert out.startswith("quick-s0: ")
    assert errors == "code 0\n"
    (run,) = RunStore(project / "mlruns/lenetctl").all()
    assert run.status.state == "FINISHED"


@pytest.mark.slow
def test_a_terminal_of_40_columns_is_wide_enough(start, project):
    ours, theirs = pty.openpty()
    command = "stty cols 40; exec lenetctl train quick.yaml"  # long enough for the bar to be seen
    process = start("sh", "-c", f"{{ {command}; }} <{os.ttyname(theirs)} >{os.ttyname(theirs)}")
    shown = b""
    while process.poll() is None or select.select([ours], [], [], 0)[0]:
        if select.select([ours], [], [], 0.1)[0]:
            shown += os.read(ours, 1 << 16)
    _, errors = process.communicate()
    for end in (ours, theirs):
        os.close(end)
    assert (process.returncode, errors) == (0, "")
    plain = re.sub(rb"\x1b\[[?0-9;]*[A-Za-z]", b"", shown).decode()
    assert "examples/sec on " in plain
    assert max(len(part) for part in re.findall(r"epoch \d+/60  loss[^\r\n]*", plain)) <= 40


def test_killed_and_never_resumed_does_not_stay_running(in_training, run_to_end, project):
    process, run = in_training(until="epoch 1")
    process.kill()
    process.communicate()
    assert run.status.state == "RUNNING"
    run_to_end("lenetctl", "train", "quick.yaml", "--seed", "1", "--smoke", "-q")
    assert run.status.state == "KILLED"
    assert in_mlflow(project, run) == ("KILLED", [line["epoch"] for line in run.epochs()])
    assert len(RunStore(project / "mlruns/lenetctl").all()) == 2


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has none")
def test_a_closed_terminal_ends_mlflows_ui_and_all_its_processes(start, project, database):
    shutil.copy(database, project)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    ui = start("lenetctl", "ui", "--port", port)
    wait_for(lambda: answers(port))
    family = psutil.Process(ui.pid).children(recursive=True)
    assert family
    ui.send_signal(signal.SIGHUP)
    assert ui.wait(60) == 143
    assert not [process for process in family if process.is_running()]


def answers(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
            return True
    except OSError:
        return False
