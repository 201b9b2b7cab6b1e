import json

import pytest
import torch

from lenetctl.errors import CheckpointError, UsageError
from lenetctl.runs.evaluate import evaluate_run


def measured(run, dataset=None, split="test", weights=None):
    return evaluate_run(run, dataset, split, weights, None, "cpu")


def test_the_test_set_gives_what_training_gave(finished):
    document = measured(finished)
    assert document.accuracy == finished.result.final["test/accuracy"]
    assert document.loss == finished.result.final["test/loss"]
    assert document.confusion == finished.result.confusion
    assert (document.dataset, document.split) == ("digits", "test")
    assert document.weights == "last"


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


def test_what_a_run_does_not_have_is_told(finished):
    with pytest.raises(UsageError, match="held no images out"):
        measured(finished, split="validation")
    with pytest.raises(CheckpointError, match="no best weights"):
        measured(finished, weights="best")
    for unknown in ("imagenet", "folder"):
        with pytest.raises(UsageError, match=f"--dataset {unknown}"):
            measured(finished, dataset=unknown)
