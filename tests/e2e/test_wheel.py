"""The wheel by itself: what works after `pip install lenetctl`, without a clone."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with nothing but what the wheel holds; what it depends on is this Python's."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.fixture
def lenetctl(installed, tmp_path):
    def run(*arguments):
        environment = os.environ | {"PYTHONPATH": str(installed)}
        environment.pop("LENETCTL_DATA", None)
        return subprocess.run(
            [sys.executable, "-m", "lenetctl", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


def test_a_shipped_spec_trains_in_an_empty_folder(lenetctl, installed, tmp_path):
    where = "import lenetctl, sys; sys.stdout.write(lenetctl.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", where],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.startswith(str(installed))
    done = lenetctl("train", "quickstart", "-s", "training.epochs=1", "-q")
    assert done.returncode == 0, done.stderr
    assert "test acc" in done.stdout


def test_specs_are_listed_explained_and_laid_out(lenetctl, tmp_path):
    assert "book/d2l-java" in lenetctl("specs", "ls").stdout
    assert "learning rate" in lenetctl("specs", "explain", "training.optimizer.lr").stdout
    assert lenetctl("init", "course").returncode == 0
    assert (tmp_path / "course/experiments/exercise2/best.yaml").exists()
    assert lenetctl("shapes", "baseline", "--format", "book").stdout.count("layer output") == 12
