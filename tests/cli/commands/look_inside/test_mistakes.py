import numpy as np
import pytest
import torch
from mlflow import MlflowClient

from lenetctl.data.digits import read_digits
from lenetctl.model.build import build_model
from lenetctl.runs.store import RunStore
from lenetctl.runs.weights import read_weights


@pytest.fixture
def trained(lenetctl, write):
    assert lenetctl("train", write(), "-q").code == 0
    return RunStore().all()[0]


def independent(run):
    """The probabilities of the test set, worked out by torch alone, and its labels."""
    test = read_digits().test
    net = build_model(run.spec().model, 0).eval()
    net.load_state_dict(read_weights(run))
    with torch.no_grad():
        p = net(torch.from_numpy(test.images / np.float32(255)).unsqueeze(1)).softmax(1).numpy()
    return p, test.labels.astype(int)


def worst(p, labels, top):
    """The indices of the most confident mistakes, one by one."""
    rows = [(-max(row), i) for i, row in enumerate(p) if int(np.argmax(row)) != labels[i]]
    return [i for _, i in sorted(rows)[:top]]


def test_the_first_mistakes_are_the_most_confident(lenetctl, trained):
    result = lenetctl("mistakes", "latest", "--top", 7, "--no-log", "--json")
    assert result.code == 0, result.err
    p, labels = independent(trained)
    shown = result.json["images"]
    assert [one["index"] for one in shown] == worst(p, labels, 7)
    assert result.json["count"] == int((p.argmax(1) != labels).sum())
    for one in shown:
        assert int(one["class"]) == labels[one["index"]]
        assert int(one["prediction"]) == p[one["index"]].argmax()
        assert one["probability"] == pytest.approx(p[one["index"]].max(), abs=1e-6)


def test_a_finished_run_has_them_among_its_artifacts(trained, tracking_uri):
    p, labels = independent(trained)
    kept = trained.mistakes.mistakes
    assert [one.index for one in kept] == worst(p, labels, 25)
    np.testing.assert_array_equal(kept[3].image, read_digits().test.images[kept[3].index])
    there = MlflowClient(tracking_uri).list_artifacts(trained.published.run_id)
    assert "mistakes.png" in [file.path for file in there]


def test_a_choice_of_classes(lenetctl, trained):
    every = lenetctl("mistakes", "latest", "--no-log", "--json", "--top", 400).json["images"]
    truth, prediction = every[0]["class"], every[0]["prediction"]
    chosen = ("--class", truth, "--as", prediction)
    some = lenetctl("mistakes", "latest", *chosen, "--no-log", "--json", "--top", 400).json
    pair = [one for one in every if (one["class"], one["prediction"]) == (truth, prediction)]
    assert some["images"] == pair
    none = lenetctl("mistakes", "latest", "--class", truth, "--as", truth, "--no-log")
    assert none.code == 0
    assert none.out.strip().endswith("0 of 360 images are wrong, 0 are shown")


def test_right_but_unsure(lenetctl, trained):
    shown = lenetctl("mistakes", "latest", "--show", "unsure", "--no-log", "--json").json["images"]
    p, labels = independent(trained)
    right = [(max(p[i]), i) for i in range(len(p)) if p[i].argmax() == labels[i]]
    assert [one["index"] for one in shown] == [i for _, i in sorted(right)[:25]]


def test_labels_that_no_seed_gets_right(lenetctl, trained, write):
    alone = lenetctl("mistakes", "latest", "--show", "suspects")
    assert (alone.code, alone.err.count("\n")) == (2, 1)
    assert "no finished run has another seed" in alone.err
    for seed in (1, 2):
        assert lenetctl("train", write(), "--seed", seed, "-q").code == 0
    every = ("--show", "suspects", "--no-log", "--json", "--top", 400)
    shown = lenetctl("mistakes", "quick-s0", *every).json["images"]
    found = [independent(run) for run in RunStore().all()]
    wrong = np.all([p.argmax(1) != labels for p, labels in found], axis=0).nonzero()[0]
    assert sorted(one["index"] for one in shown) == wrong.tolist()
    labels, mean = found[0][1], np.mean([p for p, _ in found], axis=0)
    given = [mean[one["index"], labels[one["index"]]] for one in shown]
    assert given == sorted(given)


def test_it_is_logged_into_the_run(lenetctl, trained, tracking_uri):
    assert lenetctl("mistakes", "latest", "--class", "3", "-q").code == 0
    there = MlflowClient(tracking_uri).list_artifacts(trained.published.run_id, "insights")
    assert [file.path for file in there] == ["insights/mistakes-test-wrong-3-25.png"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--class", "coat"), 2, "--class coat: digits has no such class"),
        (("--as", "11"), 2, "--as 11: digits has no such class"),
        (("--split", "validation"), 2, "held no images out"),
        (("-o", "x.txt"), 2, "x.txt: a picture is saved as"),
    ],
)
def test_mistakes_of_the_user(lenetctl, trained, arguments, code, told):
    result = lenetctl("mistakes", "latest", *arguments, "-q")
    assert (result.code, result.err.count("\n")) == (code, 1), result.err
    assert told in result.err
