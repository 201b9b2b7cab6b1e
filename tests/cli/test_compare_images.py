import json

import numpy as np
import pytest
from helpers import run_folders
from PIL import Image

from lenetctl.data.dataset import load_dataset
from lenetctl.runs.mistakes import write_predictions
from lenetctl.specs.schema import DataSpec

MAX = {"pool": {"kind": "max"}}


@pytest.fixture(scope="session")
def dataset():
    return load_dataset(DataSpec(dataset="digits"), None)


@pytest.fixture
def labels(dataset):
    return dataset.test.labels.numpy()


@pytest.fixture
def runs(tmp_path, dataset, labels):
    """Three seeds of two variants: `max` always gets images 0 to 9, the control never does."""
    found = {}
    for name, model in (("baseline", {}), ("max", MAX)):
        own = {"data": {"dataset": "digits"}, "model": model, "digest": dataset.digest}
        root = tmp_path / "mlruns" / "lenetctl"
        found[name] = run_folders.seeds(root, name, [0.8, 0.81, 0.79], **own)
        for seed, run in enumerate(found[name]):
            wrong = np.random.default_rng([seed, len(name)]).random(len(labels)) < 0.1
            wrong[:10] = name == "baseline"
            write_predictions(run, np.eye(10, dtype=np.float32)[(labels + wrong) % 10])
    return found


def test_flips_beyond_what_seeds_flip(lenetctl, runs, labels):
    result = lenetctl("compare", "--images", "--json")
    assert result.code == 0, result.err
    (row,) = result.json["rows"]
    assert (result.json["control"], row["group"], row["images"]) == ("baseline", "max", len(labels))
    assert set(row["always"]) >= set(range(10))
    assert row["beyond"]["low"] < 10 / len(labels) < row["beyond"]["high"]
    assert row["gained"] > row["lost"] > 0
    assert [*row["pairs"]] == ["0", "1", "2"]


def test_the_table_and_the_picture(lenetctl, runs, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "150")
    shown = lenetctl("compare", "--images", "--control", "baseline", "--plot", "flips.png")
    assert shown.code == 0, shown.err
    assert "flips-max-images.png drawn" in shown.out
    assert "McNemar" in shown.out
    with Image.open(tmp_path / "flips-max-images.png") as picture:
        assert picture.width > 500


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--group-by", "training.seed"), 2, "leave out --group-by"),
        (("--csv",), 2, "--images: as a table, or with --json"),
    ],
)
def test_mistakes(lenetctl, runs, options, code, message):
    result = lenetctl("compare", "--images", *options)
    assert (result.code, json.dumps(message)[1:-1] in result.err) == (code, True), result.err


def test_runs_of_an_older_version_have_none(lenetctl, runs):
    (runs["max"][1].path / "predictions.npy").unlink()
    result = lenetctl("compare", "--images")
    assert result.code == 4
    assert "has no test predictions: an older version made it" in result.err


def test_other_test_images_are_not_compared(lenetctl, runs, tmp_path):
    root = tmp_path / "mlruns" / "lenetctl"
    changed = {"data": {"dataset": "digits"}, "digest": "d" * 64}
    other = run_folders.run(root, "relu", 0.8, **changed)
    result = lenetctl("compare", runs["max"][0].path, other.path, "--images")
    assert (result.code, "have different test images" in result.err) == (2, True)
    more = run_folders.run(root, "gelu", 0.7, model=MAX, **changed)
    gone = lenetctl("compare", other.path, more.path, "--images", "--control", "relu")
    assert (gone.code, "the images of digits have changed" in gone.err) == (3, True), gone.err
    alone = lenetctl("compare", runs["max"][0].path, "--images")
    assert (alone.code, "--images: name a --control" in alone.err) == (2, True)
