"""A disk that fills up or cannot be written, and memory that runs out."""

import shutil
import subprocess

import pytest
from helpers import child_process
from helpers.child_process import Point

from lenetctl.runs.store import RunStore
from lenetctl.training import checkpoint

SPEC = """\
data: {dataset: digits, limit: 256, batch_size: 64}
model: {activation: relu, conv: [{channels: 2, kernel: 5}], dense: [16]}
training: {epochs: 40, optimizer: {kind: sgd, lr: 0.1}}
"""
MEGABYTE = 1 << 20


@pytest.fixture
def disk(tmp_path):
    """A disk of 4 MB with a spec on it."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={4 * MEGABYTE}", "none", str(path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    (path / "quick.yaml").write_text(SPEC)
    yield path
    subprocess.run(["umount", str(path)], check=True)


def last_run(folder):
    return RunStore(folder / "mlruns/lenetctl").all()[-1]


def errors(folder):
    lines = child_process.log(folder).read_text().splitlines()
    assert not [line for line in lines if "Traceback" in line]
    return [line for line in lines if line.startswith("error: ")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("full", "named"),
    [
        (
            Point("lenetctl.training.checkpoint.write_epoch_checkpoint", 3, "full"),
            "checkpoints/epoch-000003",
        ),
        (Point("lenetctl.runs.folder.Run.append_epoch", 3, "full"), "metrics.jsonl"),
        (Point("lenetctl.runs.folder.Run.set_status", 1, "full", of="FINISHED"), "status.json"),
    ],
    ids=["checkpoint", "journal", "status"],
)
def test_a_full_disk_is_7_and_what_is_there_stays_good(disk, tmp_path, database, full, named):
    store = f"--tracking-uri sqlite:///{shutil.copy(database, tmp_path)}"
    assert child_process.run(f"train quick.yaml -q {store}", disk, full) == 7
    (error,) = errors(disk)
    assert named in error
    assert "No space left" in error
    run = last_run(disk)
    assert run.status.state != "FINISHED"
    good, warnings = checkpoint.read_newest_checkpoint(run.checkpoints)
    assert (good.numbers["epoch"] >= 2, warnings) == (True, [])

    (disk / child_process.BALLAST).unlink(missing_ok=True)
    assert child_process.run(f"train quick.yaml -q --resume {store}", disk) == 0
    assert last_run(disk) == run
    assert [line["epoch"] for line in run.epochs()] == list(range(1, 41))
    assert run.status.state == "FINISHED"


@pytest.mark.slow
def test_a_full_disk_of_the_database_is_7_and_sync_publishes_later(disk, tmp_path, database):
    (tmp_path / "quick.yaml").write_text(SPEC)
    store = f"--tracking-uri sqlite:///{shutil.copy(database, disk)}"
    child_process.fill(disk)
    assert child_process.run(f"train quick.yaml -q {store}", tmp_path) == 7
    (error,) = errors(tmp_path)
    assert "mlflow.db: no space left" in error
    assert "lenetctl sync" in error
    assert last_run(tmp_path).status.state == "FINISHED"  # and so it is: only MLflow lacks it
    (disk / child_process.BALLAST).unlink()
    assert child_process.run(f"sync {store}", tmp_path) == 0


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_2_before_training(disk):
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert child_process.run("train quick.yaml", disk) == 2
    (error,) = errors(disk)
    assert "mlruns" in error
    assert "cannot be written: Read-only file system" in error
    assert "epoch" not in child_process.log(disk).read_text()


@pytest.mark.slow
def test_memory_that_runs_out_is_7_with_a_remedy(tmp_path):
    (tmp_path / "quick.yaml").write_text(SPEC)
    wide = "-s model.conv.0.channels=900 -s data.batch_size=1437 -s data.limit=1437"
    code = child_process.run(f"train quick.yaml {wide} -q", tmp_path, memory=900 * MEGABYTE)
    assert code == 7, child_process.log(tmp_path).read_text()
    (error,) = errors(tmp_path)
    assert "data.batch_size" in error
    assert last_run(tmp_path).status.state == "FAILED"
