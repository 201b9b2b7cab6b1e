"""stdout and stderr that nobody takes."""

import subprocess
import sys
from pathlib import Path

import pytest

from lenetctl.runs.store import RunStore

LENETCTL = [sys.executable, "-c", "from lenetctl.cli.app import main; main()"]
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")
TINY = """\
data: {dataset: digits, limit: 128, batch_size: 64}
model: {conv: [{channels: 3, kernel: 5, stride: 2}], dense: [12]}
training: {epochs: 1, optimizer: {kind: sgd, lr: 0.1}}
"""


def shell(line):
    """Run `lenetctl ARGUMENTS REDIRECTIONS`; return its code and what is left of its stderr."""
    command = ["sh", "-c", f'"$@" {line}', "sh", *LENETCTL]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_what_is_closed_is_not_missed(write, monkeypatch, unbuffered):
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    write()
    assert shell("shapes quick.yaml >&-") == (0, "")
    assert shell("shapes quick.yaml <&- >&- 2>&-")[0] == 0
    assert shell("shapes missing.yaml 2>&-")[0] == 2


@needs_full
@pytest.mark.parametrize("arguments", ["shapes quick.yaml", "shapes quick.yaml --format book"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_result_that_does_not_fit_is_told(write, monkeypatch, arguments, unbuffered):
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    write()
    code, errors = shell(f"{arguments} >/dev/full")
    assert code == 7
    assert errors.startswith("error: stdout: No space left on device")
    assert errors.count("\n") == 1
    assert shell("shapes missing.yaml 2>/dev/full")[0] == 2


@needs_full
def test_a_run_is_what_it_is_where_stdout_is_full(lenetctl, write, monkeypatch):
    spec = write(TINY)
    with FULL.open("w", encoding="utf-8") as full, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", full)
        result = lenetctl("train", spec, "--device", "cpu")
    assert result.code == 0
    assert "warning: stdout: No space left on device" in result.err
    assert [run.status.state for run in RunStore().all()] == ["FINISHED"]


@pytest.mark.slow
def test_a_run_whose_streams_are_all_closed_ends(write):
    """Else the pipes to the writer get the numbers of standard streams."""
    write(TINY)
    assert shell("train quick.yaml <&- >&- 2>&-")[0] == 0
    assert [run.status.state for run in RunStore().all()] == ["FINISHED"]
