import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.waiting import wait_for

from lenetctl.artifacts import draw
from lenetctl.processes import CONTEXT
from lenetctl.runs.folder import Run
from lenetctl.tracking.publish import is_current
from lenetctl.tracking.writer import outstanding
from lenetctl.tracking.writer_process import WriterProcess

IMPORTS = ("mlflow.pyfunc", "lenetctl.figures.curves")
REFUSED = "http://ann:secret@127.0.0.1:1"  # nothing listens on port 1


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def write():
    made = []

    def make(uri):
        warnings = []
        made.append(WriterProcess(uri, draw, warnings.append, IMPORTS))
        return made[-1], warnings

    yield make
    for writing in made:
        writing.stop(within=0)


def test_a_finished_run_is_drawn_and_published_elsewhere(write, client, uri, copied):
    writing, warnings = write(uri)
    started = time.monotonic()
    writing.notify(copied)
    assert time.monotonic() - started < 1  # training goes on at once
    writing.close()
    assert (copied.figures / "curves.png").exists()
    assert is_current(copied, uri)
    assert (warnings, writing.disk_is_full) == ([], False)
    assert not writing._process.is_alive()


def test_its_warnings_arrive_while_it_works(write, copied):
    writing, warnings = write(REFUSED)
    writing.notify(copied)
    wait_for(lambda: warnings)
    assert "127.0.0.1:1 is behind" in warnings[0]
    assert "secret" not in warnings[0]
    writing.stop(within=0)
    assert outstanding([copied], REFUSED) == [copied]


def test_one_that_is_killed_leaves_its_work_to_sync(write, client, uri, copied):
    writing, warnings = write(uri)
    writing.start()
    os.kill(writing._process.pid, signal.SIGKILL)
    writing._process.join()
    writing.notify(copied)
    writing.close()
    assert outstanding([copied], uri) == [copied]
    assert warnings == ["MLflow's writer ended before its work was done"]


def test_one_that_cannot_be_started_leaves_its_work_to_sync(write, uri, copied, monkeypatch):
    def refused(self):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(CONTEXT.Process, "start", refused)
    writing, warnings = write(uri)
    writing.notify(copied)
    writing.close()
    assert outstanding([copied], uri) == [copied]
    assert warnings == ["MLflow's writer cannot be started: Resource temporarily unavailable"]


def test_it_ends_with_a_command_that_is_killed(tmp_path):
    code = """
import os, signal
from lenetctl.artifacts import draw
from lenetctl.processes import CONTEXT
from lenetctl.tracking.writer_process import WriterProcess

if __name__ == "__main__":
    writing = WriterProcess("sqlite:///mlflow.db", draw, print, ["mlflow.pyfunc"])
    writing.start()
    print(writing._process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    (tmp_path / "command.py").write_text(code)
    command = [sys.executable, "command.py"]
    killed = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    pid = int(killed.stdout)
    wait_for(lambda: not is_alive(pid))


def test_one_that_is_told_nothing_is_not_started(write, tmp_path):
    writing, _ = write(f"sqlite:///{tmp_path / 'new.db'}")
    writing.close()
    assert not multiprocessing.active_children()
    assert list(tmp_path.iterdir()) == []


def test_it_needs_no_torch(copied, uri, client):
    code = f"""
import sys
from pathlib import Path
from lenetctl.artifacts import draw
from lenetctl.runs.folder import Run
from lenetctl.tracking import writer_process
from lenetctl.tracking import store
from lenetctl.tracking.publish import publish

assert "mlflow" not in sys.modules
run = Run(Path({str(copied.path)!r}))
draw(run)
publish(store.open_client({uri!r}), {uri!r}, run)
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    assert is_current(copied, uri)


def test_it_is_stopped_in_time_whatever_is_left(write, client, uri, copied):
    writing, _ = write(uri)
    runs = [Run(copied.path.parent / str(number)) for number in range(200)]
    for run in runs:
        shutil.copytree(copied.path, run.path)
        writing.notify(run)
    wait_for(lambda: is_current(runs[0], uri))
    started = time.monotonic()
    writing.stop(within=0.5)
    assert time.monotonic() - started < 5  # moments on an idle machine
    assert not writing._process.is_alive()
    assert outstanding(runs, uri)
