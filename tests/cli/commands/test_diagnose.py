import pytest
from PIL import Image

DEEP = """\
data: {dataset: digits, batch_size: 128}
model:
  activation: sigmoid
  dense: [32, 32, 32, 32]
training: {epochs: 2}
"""


def test_a_spec_that_will_not_learn_is_told_so(lenetctl, write, tmp_path):
    result = lenetctl("diagnose", write(DEEP, "deep.yaml"))
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert [line.split()[0] for line in lines if line.startswith((" conv", " dense", "conv"))]
    (told,) = (line for line in lines if "stay at guessing" in line)
    assert told.startswith("deep.yaml:3: model.activation: it will stay at guessing with seed 0, 1")
    assert "-s model.norm=batch" in told
    with Image.open(tmp_path / "diagnosis.png") as picture:
        assert picture.width > picture.height


def test_a_spec_that_learns(lenetctl, write):
    result = lenetctl("diagnose", write(), "--json", "-o", "rates.svg")
    document = result.json
    assert document["findings"] == []
    assert [one["seed"] for one in document["seeds"]] == [0, 1, 2, 3]
    layers = [layer["name"] for layer in document["seeds"][0]["layers"]]
    assert layers == ["conv1", "conv2", "dense1", "dense2", "output"]
    tested = document["range_test"]
    assert len(tested["rates"]) == len(tested["losses"])
    assert tested["steepest"] <= tested["largest_stable"]
    assert document["picture"] == "rates.svg"


def test_a_finding_is_a_problem_with_what_to_try(lenetctl, write):
    setting = "training.optimizer.lr=50"
    (finding,) = lenetctl("diagnose", write(), "-s", setting, "--json").json["findings"]
    assert finding["file"] == f"-s {setting}"
    assert finding["line"] is None
    assert finding["key"] == "training.optimizer.lr"
    assert finding["try"][0].startswith("-s training.optimizer.lr=0.")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("-s", "model.activation=rellu"), 2, "did you mean relu"),
        (("-o", "picture.txt"), 2, "picture.txt: a picture is saved as .png or .svg"),
        (("--device", "abacus"), 2, "--device abacus: not on this machine"),
    ],
)
def test_mistakes_get_one_line(lenetctl, write, arguments, code, told):
    result = lenetctl("diagnose", write(), *arguments)
    assert result.code == code
    assert told in result.err
    assert len(result.err.splitlines()) == 1
