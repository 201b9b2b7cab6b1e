import numpy as np
import pytest
import torch
from mlflow import MlflowClient
from PIL import Image
from rich.text import Text

from lenetctl.model.build import build_model
from lenetctl.runs.store import RunStore
from lenetctl.runs.weights import read_weights

MAX = """\
name: wide
data: {dataset: digits, normalize: standard}
model: {activation: none, norm: batch, pool: {kind: max}, conv: [{channels: 20, kernel: 5}]}
"""


@pytest.fixture
def trained(lenetctl, write):
    assert lenetctl("train", write(), "--smoke", "-q").code == 0
    return RunStore().all()[0]


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (300, 200), "white").save(path)
    return path


def test_a_run_is_drawn_and_logged_once(lenetctl, trained, photo, tracking_uri, tmp_path):
    arguments = ("--classes", "3,0", "--per-class", 2, "--image", photo, "--npz", "raw.npz")
    result = lenetctl("activations", "latest", *arguments, "--json")
    assert result.code == 0, result.err
    document = result.json
    assert document["layers"] == {"act1": [6, 28, 28], "act2": [16, 10, 10]}
    labels = [row["label"] for row in document["rows"]]
    assert labels == ["3", "3", "0", "0", "photo.jpg"]

    folder = trained.path / "activations"
    stem = "act1-act2-2-3-2-0-photo.jpg"
    names = {f"{stem}.png", f"{stem}-kernels.png", "raw.npz"}
    assert {path.name for path in folder.iterdir()} == names
    assert document["picture"] == str(folder / f"{stem}.png")
    found = MlflowClient(tracking_uri).list_artifacts(document["run_id"], "activations")
    assert {item.path for item in found} == {f"activations/{name}" for name in names}
    cursor = trained.published
    assert cursor.activations.keys() == names
    assert lenetctl("sync", "-q").code == 0
    assert trained.published == cursor
    (folder / "raw.npz").write_bytes(b"another")
    assert lenetctl("sync", "-q").code == 0
    assert trained.published.activations["raw.npz"] != cursor.activations["raw.npz"]

    arrays = np.load(tmp_path / "raw.npz")
    net = build_model(trained.spec().model, 0).eval()
    net.load_state_dict(read_weights(trained))
    seen = {}
    net.act2.register_forward_hook(lambda _, __, out: seen.update(act2=out.numpy()))
    with torch.no_grad():
        p = net(torch.from_numpy(arrays["inputs"] / np.float32(255)).unsqueeze(1)).softmax(1)
    np.testing.assert_allclose(arrays["act2"], seen["act2"], rtol=1e-6, atol=1e-6)
    assert [row["prediction"] for row in document["rows"]] == [str(int(i)) for i in p.argmax(1)]
    assert [row["probability"] for row in document["rows"]] == pytest.approx(p.amax(1).tolist())


def test_another_choice_is_another_picture_and_the_same_one_the_same(lenetctl, trained, write):
    folder, spec = trained.path / "activations", write(MAX, "wide.yaml")
    for arguments, stem in (
        ((), "act1-act2-2-0-2-1"),
        (("--weights", "last"), "act1-act2-2-0-2-1-last"),
        (("--layers", "pool1", "--classes", "7", "--per-class", 1), "pool1-7"),
        (("--compare", spec), "act1-act2-2-0-2-1-vs-wide-untrained"),
    ):
        before = set(folder.glob("*"))
        for subject in ("latest", trained.checkpoints):
            result = lenetctl("activations", subject, *arguments, "-q")
            assert result.code == 0, result.err
            names = {f"{stem}.png", f"{stem}-kernels.png"}
            if "--compare" in arguments:
                names.add(f"{stem}-compared-kernels.png")
            assert {path.name for path in set(folder.glob("*")) - before} == names


def test_of_many_inputs_the_first_of_each_class_are_drawn(lenetctl, write):
    arguments = ("--classes", "3,8", "--per-class", 30, "--layers", "pool2", "--npz", "raw.npz")
    result = lenetctl("activations", write(), *arguments)
    assert result.code == 0, result.err
    assert "drawn are 40 of 60 inputs" in result.out
    with np.load("raw.npz") as arrays:
        assert arrays["pool2"].shape == (60, 16, 5, 5)
        assert arrays["labels"].tolist() == ["3"] * 30 + ["8"] * 30


def test_a_terminal_of_24_bit_colour_shows_previews(lenetctl, write, monkeypatch):
    spec, arguments = write(MAX, "wide.yaml"), ("--classes", "7,8", "--per-class", 2)
    plain = lenetctl("activations", spec, *arguments).out
    assert "▀" not in plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("LINES", "25")
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = Text.from_ansi(lenetctl("activations", spec, *arguments).out).plain
    pictures = [line for line in shown.splitlines() if "▀" in line or "▄" in line]
    assert len(pictures) == 2 * 11  # of the first 7 and the first 8
    assert [line for line in shown.splitlines() if line not in pictures] == plain.splitlines()
    assert max(map(len, pictures)) <= 100
    assert "▀" not in lenetctl("activations", spec, *arguments, "-q").out


def test_two_nets_see_the_same(lenetctl, trained, write, tmp_path):
    spec = write(MAX, "wide.yaml")
    arguments = ("--compare", spec, "-o", "two.svg", "--no-log", "--npz", "two.npz", "--json")
    result = lenetctl("activations", "latest", *arguments)
    assert result.code == 0, result.err
    other = result.json["compared"]
    assert other["name"] == "wide untrained"
    assert other["layers"] == {"conv1": [20, 24, 24], "dense1": [120]}  # there is no activation
    assert [row["label"] for row in other["rows"]] == ["0", "0", "1", "1"]
    assert {path.name for path in tmp_path.glob("two*")} == {
        "two.svg",
        "two-kernels.svg",
        "two-compared-kernels.svg",
        "two.npz",
    }
    assert np.load(tmp_path / "two.npz")["compared/conv1"].shape == (4, 20, 24, 24)
    assert not (trained.path / "activations").exists()


def test_an_untrained_net_is_drawn_where_one_works(lenetctl, write, tmp_path):
    spec = write(MAX, "wide.yaml")
    result = lenetctl("activations", spec, "--layers", "norm1,2", "--classes", "7", "-q")
    assert result.code == 0, result.err
    assert result.out.splitlines() == ["activations.png written", "activations-kernels.png written"]
    with Image.open(tmp_path / "activations.png") as picture:
        assert picture.width > picture.height
    assert "7 → " in lenetctl("activations", spec, "--classes", "7").out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--classes", "coat"), 2, "--classes coat: digits has no such class (it has 0 0, 1 1"),
        (("--layers", "act9"), 2, "--layers act9: quick has no such layer (it has 1 to 5, conv1"),
        (("--layers", "6"), 2, "--layers 6: "),
        (("--image", "none.png"), 2, "none.png: not a readable picture (No such file"),
        (("--classes", ""), 2, "nothing to show"),
        (("-o", "picture.txt"), 2, "picture.txt: a picture is saved as .png or .svg"),
        (("--npz", "none/raw.npz"), 2, "cannot write none/raw.npz: No such file"),
        (("--compare", "nobody"), 4, "nobody: there is no such run"),
        (("--compare", "other.yaml"), 2, "--compare other.yaml: it is for mnist, quick.yaml for"),
    ],
)
def test_mistakes_get_one_line(lenetctl, write, arguments, code, told):
    write("data: {dataset: mnist}\n", "other.yaml")
    result = lenetctl("activations", write(), *arguments, "-q")
    assert (result.code, result.err.count("\n")) == (code, 1), result.err
    assert told in result.err


def test_a_run_that_is_not_there(lenetctl):
    result = lenetctl("activations", "nobody")
    assert (result.code, result.err.count("\n")) == (4, 1)
