import json
import shutil

import pytest
import torch
from helpers.pictures import write_classes
from PIL import Image
from torch.nn.functional import nll_loss

from lenetctl.data.dataset import Split, load_dataset
from lenetctl.data.device import DeviceSplit
from lenetctl.errors import CheckpointError, DataError, UsageError
from lenetctl.runs.evaluate import evaluate_run
from lenetctl.runs.execute import execute
from lenetctl.runs.options import RunOptions
from lenetctl.runs.weights import load_net
from lenetctl.training.cpu import whole_step
from lenetctl.training.evaluate import predict


def measured(run, dataset=None, split="test", weights=None):
    return evaluate_run(run, dataset, split, weights, None, "cpu")


def test_the_test_set_gives_what_training_gave(finished):
    document = measured(finished)
    assert document.accuracy == finished.result.final["test/accuracy"]
    assert document.loss == finished.result.final["test/loss"]
    assert document.confusion == finished.result.confusion
    assert (document.dataset, document.split) == ("digits", "test")
    assert document.weights == "last"


def test_a_compiled_run_is_evaluated_as_in_its_training(digits, tmp_path, monkeypatch):
    run = execute(digits(), RunOptions(tmp_path, device="cpu", engine="compiled"))
    document = measured(run)
    assert document.loss == run.result.final["test/loss"]
    assert document.confusion == run.result.confusion

    def no_compiler():
        raise UsageError("--engine compiled: no C++ compiler")

    monkeypatch.setattr(whole_step, "compiled_library", no_compiler)
    by_torch = measured(run)
    assert by_torch.loss == pytest.approx(document.loss, rel=1e-5)
    assert by_torch.confusion == document.confusion


def test_precision_and_recall_follow_from_the_confusion(finished):
    document = measured(finished)
    confusion = torch.tensor(document.confusion)  # rows: truth
    for i, scores in enumerate(document.per_class.values()):
        assert scores.count == int(confusion[i].sum())
        assert scores.recall == pytest.approx(float(confusion[i, i] / confusion[i].sum()))
        guesses = confusion[:, i].sum()
        expected = pytest.approx(float(confusion[i, i] / guesses)) if guesses else None
        assert scores.precision == expected
    assert sum(s.count for s in document.per_class.values()) == int(confusion.sum())


def test_mirrored_too_means_the_mean_of_both_probabilities(finished):
    both = evaluate_run(finished, None, "test", None, None, "cpu", tta=True)
    test = load_dataset(finished.spec().data).test
    split = DeviceSplit(test, torch.device("cpu"))
    mirrored = DeviceSplit(Split(test.images.flip(-1), test.labels), torch.device("cpu"))
    net = load_net(finished, None, torch.device("cpu"))
    mean = (predict(net, split) + predict(net, mirrored)) / 2
    right = mean.argmax(1) == test.labels
    assert both.accuracy == pytest.approx(float(right.double().mean()))
    assert both.loss == pytest.approx(float(nll_loss(mean.log(), test.labels)), rel=1e-5)
    alone = measured(finished)
    assert both.loss != pytest.approx(alone.loss, rel=1e-3)
    assert both.key == f"{alone.key}-tta" == "digits-test-last-tta"


def test_the_document_is_strict_json(finished):
    assert "NaN" not in json.dumps(measured(finished).model_dump())


def test_every_split_of_a_validated_run(validated):
    data = validated.record.data
    for split in ("train", "validation", "test"):
        document = measured(validated, split=split)
        assert sum(map(sum, document.confusion)) == getattr(data, split)
        assert document.weights == "best"
    best = validated.result.best
    assert measured(validated, split="validation").accuracy == best["validation/accuracy"]
    assert measured(validated).accuracy == best["test/accuracy"]
    last = measured(validated, split="validation", weights="last")
    assert last.accuracy == validated.epochs()[-1]["validation/accuracy"]


@pytest.fixture
def pets(digits, tmp_path):
    """A run that makes no mistake, and the folder of its pictures."""
    write_classes(tmp_path / "pets", ("cat", "dog", "emu"), count=16)
    data = {"dataset": "folder", "folder": "pets", "limit": None, "batch_size": 4}
    spec = digits(data=data, model={"conv": [], "dense": []}, epochs=5)
    run = execute(spec, RunOptions(tmp_path / "runs", data_dir=tmp_path, device="cpu"))
    assert run.result.final["test/accuracy"] == 1
    return run, tmp_path / "pets"


def in_folder(run, folder):
    return evaluate_run(run, None, "test", None, folder.parent, "cpu")


def test_a_class_that_went_since_the_training_shifts_no_other(pets):
    run, folder = pets
    for split in ("train", "test"):
        shutil.rmtree(folder / split / "cat")
    assert run.result.confusion == [[16, 0, 0], [0, 16, 0], [0, 0, 16]]
    document = in_folder(run, folder)
    assert document.accuracy == 1
    assert document.confusion == [[0, 0, 0], [0, 16, 0], [0, 0, 16]]
    assert [scores.count for scores in document.per_class.values()] == [0, 16, 16]


def test_a_class_that_the_net_does_not_know_is_refused_with_both_lists(pets):
    run, folder = pets
    for split in ("train", "test"):
        (folder / split / "cat").rename(folder / split / "tom")
    with pytest.raises(DataError, match=r"pets: .* dog, emu, tom; .* cat, dog, emu$"):
        in_folder(run, folder)


def test_a_run_that_kept_no_classes_beside_its_data_has_those_of_its_result(pets):
    run, _ = pets
    data = run.record.data.model_copy(update={"classes": ()})
    run.write_record(run.record.model_copy(update={"data": data}))
    assert run.classes == ("cat", "dog", "emu")


def test_what_a_run_does_not_have_is_told(finished):
    with pytest.raises(UsageError, match="held no images out"):
        measured(finished, split="validation")
    with pytest.raises(CheckpointError, match="no best weights"):
        measured(finished, weights="best")
    for unknown in ("imagenet", "folder"):
        with pytest.raises(UsageError, match=f"--dataset {unknown}"):
            measured(finished, dataset=unknown)


@pytest.mark.parametrize("below", ["", "test"])
def test_a_folder_of_pictures_of_ones_own_is_measured(finished, tmp_path, below):
    test = load_dataset(finished.spec().data).test
    for number in (3, 8):
        folder = tmp_path / "my own" / below / str(number)
        folder.mkdir(parents=True)
        for i, image in enumerate(test.images[test.labels == number][:9]):
            Image.fromarray(image.numpy()).save(folder / f"{i}.png")
    found = evaluate_run(finished, str(tmp_path / "my own"), "test", None, None, "cpu")
    assert found.dataset == "my own"
    assert {name: one.count for name, one in found.per_class.items() if one.count} == {
        "3": 9,
        "8": 9,
    }
    whole = evaluate_run(finished, None, "test", None, None, "cpu")
    of_three = found.per_class["3"].recall
    assert of_three == pytest.approx(whole.per_class["3"].recall, abs=0.3)
    assert found.key == "my own-test-last"
    (tmp_path / "my own" / below / "shirt").mkdir()
    shutil.copy(folder / "0.png", tmp_path / "my own" / below / "shirt")
    with pytest.raises(DataError, match=r"shirt: no class of the net \(0, 1, "):
        evaluate_run(finished, str(tmp_path / "my own"), "test", None, None, "cpu")
