import json
import re

import numpy as np
import pytest
from cli.conftest import SPEC
from mlflow import MlflowClient

from lenetctl.data.digits import read_digits
from lenetctl.runs.store import RunStore


@pytest.fixture
def trained(lenetctl, write):
    assert lenetctl("train", write(), "-q").code == 0
    return RunStore().all()[0]


def content_of(file):
    found = re.search(
        r'<script type="application/json" id="content">(.*?)</script>', file.read_text()
    )
    return json.loads(found.group(1))


def test_the_page_has_the_runs_net_and_is_logged(lenetctl, trained, tracking_uri):
    result = lenetctl("explain", "latest", "--json")
    assert result.code == 0, result.err
    page = trained.path / "insights" / "explain.html"
    assert result.json["page"] == str(page.relative_to(page.parents[4]))
    there = MlflowClient(tracking_uri).list_artifacts(trained.published.run_id, "insights")
    assert [file.path for file in there] == ["insights/explain.html"]

    content = content_of(page)
    (net,) = content["nets"]
    about = dict(net["about"])
    assert about["run"] == trained.path.name
    assert about["test accuracy"] == f"{trained.result.final['test/accuracy']:.4f}"
    assert [layer["name"] for layer in net["layers"]][0::10] == ["conv1", "act4"]
    images, worst = content["examples"]
    labels = [image["label"].split(",")[0] for image in images["images"]]
    assert labels == [str(n // 2) for n in range(20)]
    kept = trained.mistakes.mistakes[:20]
    assert [image["label"] for image in worst["images"]] == [
        f"{one.truth} taken for {one.prediction}, test image {one.index}" for one in kept
    ]
    assert [image["pixels"] for image in worst["images"]] == [one.pixels for one in kept]
    first = int(images["images"][0]["label"].rpartition(" ")[2])
    assert first == np.flatnonzero(read_digits().test.labels == 0)[0]


def test_kept_epochs_are_in_the_page(lenetctl, write, tmp_path):
    assert lenetctl("train", write(), "--keep-epochs", "-q", "--json").code == 0
    (run,) = RunStore().all()
    assert lenetctl("explain", "latest", "-o", "kept.html", "--no-log", "-q").code == 0
    (net,) = content_of(tmp_path / "kept.html")["nets"]
    assert [one["epoch"] for one in net["epochs"]] == [0, 1, 2]
    assert [one.get("weights") is None for one in net["epochs"]] == [False, False, True]
    assert net["shown"] == 2
    for one, line in zip(net["epochs"][1:], run.epochs(), strict=True):
        assert one["accuracy"] == pytest.approx(line["test/accuracy"])
        assert np.sum(one["confusion"]) == 360
    assert net["epochs"][2]["confusion"] == run.result.confusion


def test_the_best_epoch_is_shown_where_validation_chose_it(lenetctl, write, tmp_path):
    text = SPEC.replace("limit: 512", "limit: 512, validation: 300")
    assert lenetctl("train", write(text), "--keep-epochs", "-s", "training.epochs=3").code == 0
    (run,) = RunStore().all()
    for weights, epoch in ((None, run.result.best["epoch"]), ("last", 3)):
        chosen = ("--weights", weights) if weights else ()
        lenetctl("explain", "latest", "-o", "kept.html", "--no-log", *chosen)
        (net,) = content_of(tmp_path / "kept.html")["nets"]
        assert net["epochs"][net["shown"]]["epoch"] == epoch
        assert dict(net["about"])["weights"] == (weights or "best")


def test_of_many_epochs_as_many_are_in_the_page_as_fit(lenetctl, write, tmp_path, monkeypatch):
    assert lenetctl("train", write(), "--keep-epochs", "-s", "training.epochs=6").code == 0
    assert lenetctl("explain", "latest", "-o", "all.html", "--no-log").code == 0
    one_net = len(content_of(tmp_path / "all.html")["nets"][0]["weights"])
    monkeypatch.setattr("lenetctl.explain.content.MOST_BYTES", 3 * one_net)
    assert lenetctl("explain", "latest", "-o", "some.html", "--no-log").code == 0
    epochs = content_of(tmp_path / "some.html")["nets"][0]["epochs"]
    assert [one["epoch"] for one in epochs] == [0, 2, 5, 6]


def test_two_nets_and_a_place_of_ones_own(lenetctl, trained, write, tmp_path):
    other = write("extends: quick.yaml\nmodel: {pool: {kind: max}}\n", "max.yaml")
    assert lenetctl("train", other, "-q").code == 0
    result = lenetctl("explain", "quick-s0", "--compare", "max-s0", "-o", "two.html", "--no-log")
    assert result.code == 0, result.err
    assert result.out.startswith("two.html written, ")
    assert [net["name"] for net in content_of(tmp_path / "two.html")["nets"]] == [
        "quick-s0",
        "max-s0",
    ]
    assert not (RunStore().find("quick-s0").path / "insights").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("nobody",), 4, "nobody: there is no such run"),
        (("latest", "--compare", "nobody"), 4, "nobody: there is no such run"),
        (("latest", "--weights", "best"), 4, "no best weights"),
        (("latest", "-o", "none/page.html"), 2, "cannot write none/page.html"),
    ],
)
def test_mistakes_get_one_line(lenetctl, trained, arguments, code, told):
    result = lenetctl("explain", *arguments, "-q")
    assert (result.code, result.err.count("\n")) == (code, 1), result.err
    assert told in result.err
