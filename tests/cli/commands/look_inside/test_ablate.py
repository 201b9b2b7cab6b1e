import csv
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient
from PIL import Image

from lenetctl.analysis.ablation import ablate_channels
from lenetctl.analysis.activations import InspectedNet
from lenetctl.data.dataset import load_dataset
from lenetctl.runs.store import RunStore

VALIDATED = """\
data: {dataset: digits, limit: 512, validation: 300, batch_size: 128}
model: {activation: relu}
training: {epochs: 2, optimizer: {kind: sgd, lr: 0.1}}
"""


@pytest.fixture
def trained(lenetctl, write):
    assert lenetctl("train", write(), "-q").code == 0
    return RunStore().all()[0]


def table(file):
    return list(csv.reader(Path(file).read_text(encoding="utf-8").splitlines()))


def test_a_line_for_each_channel_and_all_of_it_in_the_run(lenetctl, trained, tracking_uri):
    result = lenetctl("ablate", "latest")
    assert result.code == 0, result.err
    assert "act1: points lost without a channel" in result.out
    client, run_id = MlflowClient(tracking_uri), trained.published.run_id
    there = [file.path for file in client.list_artifacts(run_id, "insights")]
    stem = "insights/ablation-act1-act2"
    assert there == [f"{stem}-occlusion-2-0-2-1.png", f"{stem}.csv", f"{stem}.png"]

    titles, *rows = table(trained.insights / "ablation-act1-act2.csv")
    assert titles == ["layer", "channel", "all images", *map(str, range(10))]
    assert [(row[0], int(row[1])) for row in rows[5:7]] == [("act1", 5), ("act2", 0)]
    inspected = InspectedNet.trained(trained, None)
    dataset = load_dataset(inspected.spec.data)
    first, second = ablate_channels(inspected, dataset, dataset.test, ["act1", "act2"])
    expected = np.vstack([first.lost, second.lost])
    np.testing.assert_allclose(np.array([row[3:] for row in rows], float), expected, atol=1e-6)


def test_the_document_is_of_the_images_held_out(lenetctl, write):
    assert lenetctl("train", write(VALIDATED, "held.yaml"), "-q").code == 0
    options = ("--layer", "dense1", "--classes", "3", "--no-log", "--csv", "t.csv", "-o", "a.svg")
    result = lenetctl("ablate", "latest", *options, "--json")
    assert result.code == 0, result.err
    document = result.json
    assert (document["name"], document["split"]) == ("held-s0", "validation")
    (layer,) = document["layers"]
    assert (layer["layer"], len(layer["channels"])) == ("dense1", 120)
    rows = table("t.csv")[1:]
    assert [one["lost"] for one in layer["channels"]] == pytest.approx(
        [float(row[2]) for row in rows], abs=1e-6
    )
    assert [one["label"] for one in document["occluded"]] == ["3", "3"]
    assert (document["picture"], document["occlusion"]) == ("a.svg", "a-occlusion.svg")
    assert Path("a-occlusion.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert not RunStore().find("latest").insights.exists()


def test_a_picture_of_ones_own_is_covered_too(lenetctl, trained):
    Image.fromarray(np.full((40, 30), 200, np.uint8)).save("mine [1].png")
    options = ("--classes", "", "--image", "mine [1].png", "--no-log", "--json")
    document = lenetctl("ablate", "latest", *options).json
    assert [one["label"] for one in document["occluded"]] == ["mine [1].png"]


def test_of_many_images_those_are_covered_that_a_picture_holds(lenetctl, trained, monkeypatch):
    monkeypatch.setattr("lenetctl.artifacts.activations.MOST_ROWS", 2)
    result = lenetctl("ablate", "latest", "--classes", "3,7", "--no-log", "--json")
    assert [one["label"] for one in result.json["occluded"]] == ["3", "7"]
    assert "covered are 2 of 4 images, the first of each" in result.err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--layer", "conv7"), 2, "--layer conv7: quick has no such layer"),
        (("--classes", "coat"), 2, "--classes coat: digits has no such class"),
        (("--classes", ""), 2, "nothing to show"),
        (("-o", "x.txt"), 2, "x.txt: a picture is saved as"),
        (("--csv", "none/x.csv"), 2, "cannot write none/x.csv"),
        (("--weights", "best"), 4, "no best weights"),
    ],
)
def test_mistakes_of_the_user(lenetctl, trained, arguments, code, told):
    result = lenetctl("ablate", "latest", *arguments, "-q")
    assert (result.code, result.err.count("\n")) == (code, 1), result.err
    assert told in result.err
