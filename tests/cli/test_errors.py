import json
import re
import urllib.request
from urllib.error import URLError

import pytest

WRONG = """\
data: {dataset: digits}
model:
  activation: tanh
  activation: relu
  pol: {kind: max}
training:
  epochs: ten
"""

GOLDEN = """\
error: wrong.yaml:4: model.activation: written twice, first in line 3
wrong.yaml:5: model.pol: unknown key (allowed: input_side, conv, pool, activation, norm, dense, \
dropout, output_codes, init, bias_init); did you mean pool?
"""


def test_every_mistake_of_a_spec_is_told_at_once(lenetctl, write):
    write(WRONG.replace("ten", "10"), "wrong.yaml")
    result = lenetctl("train", "wrong.yaml")
    assert result.code == 2
    assert result.out == ""
    assert result.err == GOLDEN


def test_a_misspelt_kind_gets_a_suggestion(lenetctl, write):
    write("model: {activation: sigmoyd}", "wrong.yaml")
    result = lenetctl("shapes", "wrong.yaml")
    assert result.code == 2
    assert "did you mean sigmoid?" in result.err


def test_errors_as_a_document(lenetctl, write):
    write(WRONG, "wrong.yaml")
    for command in ("train", "shapes"):
        result = lenetctl(command, "wrong.yaml", "--json")
        assert result.code == 2
        assert result.out == ""
        error = json.loads(result.err)["error"]
        assert error["code"] == 2
        assert {p["line"] for p in error["problems"]} == {4, 5, 7}
        for problem in error["problems"]:
            assert problem.keys() == {"file", "line", "key", "message"}
            assert problem["file"] == "wrong.yaml"


def test_a_store_that_no_waiting_mends_is_told_before_training(lenetctl, write, tmp_path):
    for command in (("train", write()), ("sweep", "quick.yaml"), ("sync",)):
        result = lenetctl(*command, "--tracking-uri", "htp://host")
        assert result.code == 2
        assert result.err.startswith("error: tracking URI htp://host: MLflow knows no htp: use ")
        assert not (tmp_path / "mlruns").exists() or not list(tmp_path.glob("mlruns/*/*/run.json"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("train",),
        ("train", "nothing.yaml"),
        ("train", "quick.yaml", "-s", "training.epochs"),
        ("train", "quick.yaml", "-s", "training.epochs=nan"),
        ("train", "quick.yaml", "--seed", "x"),
        ("train", "quick.yaml", "--device", "gpu"),
        ("shapes", "quick.yaml", "--batch", "0"),
        ("shapes", "quick.yaml", "--format", "xml"),
        ("data", "verify", "imagenet"),
        ("fly",),
    ],
)
def test_what_is_typed_wrong_is_2(lenetctl, write, arguments):
    write()
    result = lenetctl(*arguments)
    assert result.code == 2
    assert result.err.strip()
    assert "Traceback" not in result.err


def test_a_run_folder_that_cannot_be_written_is_2(lenetctl, write, tmp_path):
    (tmp_path / "mlruns").touch()
    result = lenetctl("train", write())
    assert result.code == 2
    assert re.search(r"^error: .*mlruns.*cannot be written", result.err, re.MULTILINE)


def test_no_data_and_no_network_is_3_with_the_ways_out(lenetctl, write, tmp_path, monkeypatch):
    def unplugged(*_, **__):
        raise URLError("no route to host")

    monkeypatch.setattr(urllib.request, "urlopen", unplugged)
    result = lenetctl("train", write("training: {epochs: 1}"), "--data-dir", tmp_path / "empty")
    assert result.code == 3
    (line,) = [line for line in result.err.splitlines() if line.startswith("error: ")]
    for word in (str(tmp_path / "empty"), "lenetctl data fetch", "LENETCTL_DATA", "quickstart"):
        assert word in line
    assert not (tmp_path / "mlruns").exists()


@pytest.mark.parametrize(
    "arguments", [("eval", "nope"), ("train", "--resume", "nope"), ("sync", "nope")]
)
def test_no_such_run_is_4(lenetctl, arguments):
    result = lenetctl(*arguments)
    assert result.code == 4
    assert "error: nope: there is no such run" in result.err


def test_a_run_of_another_spec_is_4_with_the_differences(lenetctl, write):
    spec = write()
    assert lenetctl("train", spec, "--smoke", "-q").code == 0
    result = lenetctl("train", spec, "--resume", "latest")
    assert result.code == 4
    assert "training.epochs 1 there, 2 here" in result.err


def test_divergence_is_8(lenetctl, write):
    result = lenetctl("train", write(), "-s", "training.optimizer.lr=1e8")
    assert result.code == 8
    assert "error: the training loss became" in result.err
    assert "Traceback" not in result.err


def test_a_run_in_training_elsewhere_is_75(lenetctl, write):
    spec = write()
    assert lenetctl("train", spec, "-q").code == 0
    run = lenetctl("eval", "latest", "--no-log", "--json").json["name"]
    assert run == "quick-s0"
    from lenetctl.runs.store import RunStore

    (held,) = RunStore().all()
    held.set_status("KILLED")  # one that has finished is left as it is
    with held.held():
        result = lenetctl("train", spec)
        again = lenetctl("train", "--resume", "latest")
    for one in (result, again):
        assert one.code == 75
        assert f"error: {held.path.name} is being trained by process" in one.err
