"""A project that can be read and not written."""

import subprocess

import pytest
from PIL import Image


@pytest.fixture
def read_only(lenetctl, write, tmp_path, tracking_uri, monkeypatch):
    """A project with a finished run, on a disk that is mounted read-only."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    monkeypatch.chdir(disk)
    assert lenetctl("train", tmp_path / write(), "--smoke", "-q").code == 0
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    yield disk
    monkeypatch.chdir(tmp_path)
    subprocess.run(["umount", str(disk)], check=True)


def test_a_read_only_project_can_be_looked_at(lenetctl, read_only, tmp_path):
    picture, page = tmp_path / "seven.png", tmp_path / "page.html"
    Image.new("L", (28, 28), 200).save(picture)
    for command in (
        ("eval", "latest", "--no-log"),
        ("compare",),
        ("runs", "ls"),
        ("runs", "show", "latest"),
        ("predict", "latest", picture),
        ("explain", "latest", "--no-log", "-o", page),
        ("activations", "latest", "--no-log", "-o", tmp_path / "maps.png"),
    ):
        result = lenetctl(*command)
        assert (result.code, result.err) == (0, "")
    page.unlink()
    explained = lenetctl("explain", "latest", "-o", page)
    assert (explained.code, page.exists()) == (0, True)
    assert explained.err.startswith("warning: not logged: mlruns/lenetctl/quick-")
    for command in ("eval", "explain"):
        refused = lenetctl(command, "latest")
        assert (refused.code, refused.out) == (2, "")
        assert refused.err.endswith("cannot be written: --no-log only looks at the run\n")
