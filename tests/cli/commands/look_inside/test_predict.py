import csv
from pathlib import Path

import mlflow
import numpy as np
import pytest
from PIL import Image

from lenetctl.data.digits import read_digits
from lenetctl.runs.store import RunStore
from lenetctl.tracking.model import save_model


@pytest.fixture
def trained(lenetctl, write):
    assert lenetctl("train", write(), "-q").code == 0
    return RunStore().all()[0]


@pytest.fixture
def pictures(tmp_path):
    """A folder with three digits as they are, in a folder below, and a file that is none."""
    folder = tmp_path / "mine"
    (folder / "more").mkdir(parents=True)
    images = read_digits().test.images[:3]
    for place, image in zip(("a[1].png", "more/b帽子.png", "more/z.png"), images, strict=True):
        Image.fromarray(image).save(folder / place)
    (folder / "torn.png").write_bytes(b"\x89PNG")
    (folder / "notes.txt").write_text("no picture")
    return folder, images


def test_probabilities_are_those_of_the_served_model(lenetctl, trained, pictures, monkeypatch):
    folder, images = pictures
    result = lenetctl("predict", "latest", folder, "--json", "--csv", "out.csv")
    assert result.code == 0, result.err
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    with save_model(trained) as model:
        served = mlflow.pyfunc.load_model(str(model)).predict(images.astype(np.float32) / 255)
    rows = result.json["predictions"]
    names = ("a[1].png", "more/b帽子.png", "more/z.png")
    assert [row["picture"] for row in rows] == [str(folder / name) for name in names]
    found = np.array([[*row["probabilities"].values()] for row in rows])
    np.testing.assert_allclose(found, served, atol=1e-6)
    assert [row["prediction"] for row in rows] == [str(i) for i in served.argmax(1)]
    lines = list(csv.reader(Path("out.csv").read_text(encoding="utf-8").splitlines()))
    assert lines[0] == ["picture", "prediction", *map(str, range(10))]
    assert [line[0] for line in lines[1:]] == [row["picture"] for row in rows]
    np.testing.assert_allclose(np.array([line[2:] for line in lines[1:]], float), found)


def test_a_picture_that_cannot_be_read_is_named_at_the_end(lenetctl, trained, pictures):
    folder, _ = pictures
    result = lenetctl("predict", "latest", folder, "--top", 2)
    assert result.code == 0, result.err
    assert result.out.count("\n") == 3
    assert result.out.splitlines()[0].startswith(f"{folder / 'a[1].png'}: ")
    assert result.out.splitlines()[0].count(", ") == 1
    *_, named, counted = result.err.splitlines()
    assert "torn.png: not a readable picture" in named
    assert counted.endswith("1 of the pictures could not be read")
    assert [
        line["picture"]
        for line in lenetctl("predict", "latest", folder, "--json").json["unreadable"]
    ] == [str(folder / "torn.png")]


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        (("mine/torn.png",), "mine/torn.png: not a readable picture"),
        (("mine/torn.png", "none.png"), "; and 1 more"),
        (("empty",), "empty: no pictures in it (.bmp, "),
    ],
)
def test_where_none_can_be_read(lenetctl, trained, pictures, tmp_path, paths, told):
    (tmp_path / "empty").mkdir()
    result = lenetctl("predict", "latest", *paths)
    assert (result.code, result.err.count("\n")) == (3, 1), result.err
    assert told in result.err


def test_the_prepared_pictures_are_drawn(lenetctl, trained, pictures, tmp_path):
    folder, _ = pictures
    assert lenetctl("predict", "latest", folder, "-o", "seen.png", "-q").code == 0
    with Image.open(tmp_path / "seen.png") as drawn:
        assert drawn.width > drawn.height
    result = lenetctl("predict", "latest", folder, "-o", "none/seen.png", "-q")
    assert (result.code, result.err.count("\n")) == (2, 1)


def test_a_terminal_shows_the_picture_as_the_net_gets_it(lenetctl, trained, pictures, monkeypatch):
    folder, _ = pictures
    for name, value in {"FORCE_COLOR": "1", "COLORTERM": "truecolor", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LINES", "31")
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = lenetctl("predict", "latest", folder).out
    assert sum("▀" in line for line in shown.splitlines()) == 2 * 14
