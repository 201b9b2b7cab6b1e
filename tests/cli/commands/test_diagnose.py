import pytest
from mlflow import MlflowClient
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
    rows = [line.split()[0] for line in lines[1:9]]
    assert rows == ["layer", "conv1", "conv2", *(f"dense{n}" for n in range(1, 5)), "output"]
    (told,) = (line for line in lines if "stay at guessing" in line)
    assert told.startswith("deep.yaml:3: model.activation: it will stay at guessing with seed 0: ")
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
    rehearsal = document["rehearsal"]
    assert 0 < rehearsal["steps"] <= rehearsal["total"]
    assert rehearsal["loss"] < 2.28
    assert rehearsal["stays_at_guessing"] is False
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
    assert "is too large" in finding["message"]
    assert finding["try"][0].startswith("-s training.optimizer.lr=")


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


def test_a_run_that_learned_beside_its_beginning(lenetctl, write):
    assert lenetctl("train", write(), "-q").code == 0
    result = lenetctl("diagnose", "latest")
    assert result.code == 0, result.err
    assert "outcome: finished" in result.out
    assert "reason" not in result.out
    document = lenetctl("diagnose", "latest", "--json").json
    assert document["name"] == "quick-s0"
    assert (document["outcome"], document["reason"], document["unmoved"]) == ("finished", None, [])
    assert [layer["moved"] > 0.01 for layer in document["trained"]] == [True] * 5


def test_a_plateau_is_explained_by_train_and_afterwards(lenetctl, write):
    trained = lenetctl("train", write(DEEP, "deep.yaml"), "-q")
    (told,) = (line for line in trained.err.splitlines() if "spec.yaml" in line)
    assert "model.activation: it will stay at guessing with seed 0:" in told
    document = lenetctl("diagnose", "latest", "--json").json
    assert document["outcome"] == "plateau"
    assert "it will stay at guessing with seed 0" in document["reason"]
    setting = lenetctl("diagnose", "latest", "-s", "training.epochs=3")
    assert (setting.code, "latest is a run" in setting.err) == (2, True)


def test_a_divergence_is_explained(lenetctl, write):
    diverging = ("-s", "training.optimizer.lr=1e30")
    trained = lenetctl("train", write(), *diverging, "-q")
    assert trained.code == 8
    assert "training.optimizer.lr: 1e+30 is too large" in trained.err
    result = lenetctl("diagnose", "latest")
    assert "outcome: diverged" in result.out
    assert "no epoch was done" in result.out


def test_training_with_diagnostics_leaves_a_picture_and_metrics(lenetctl, write, tracking_uri):
    result = lenetctl("train", write(), "--diagnostics", "--json")
    assert result.code == 0, result.err
    document = result.json
    keys = [key for key in document["epochs"][1] if key.startswith("layers/conv1/")]
    names = ("gradient_norm", "activation_std", "update_ratio", "saturated_share", "dead_share")
    assert keys == [f"layers/conv1/{name}" for name in names]
    assert not any("layers" in key for key in document["metrics"] | document["best"])
    client = MlflowClient(tracking_uri)
    assert len(client.get_metric_history(document["run_id"], keys[0])) == 2
    artifacts = {item.path for item in client.list_artifacts(document["run_id"])}
    assert "diagnostics.png" in artifacts
    with_fleet = lenetctl("sweep", write(), "--executor", "fleet", "--diagnostics")
    assert (with_fleet.code, "a fleet trains" in with_fleet.err) == (2, True)
