import numpy as np
import pytest
import torch

from lenetctl.data.dataset import Split
from lenetctl.errors import NotFoundError
from lenetctl.runs.folder import PREDICTIONS, Run
from lenetctl.runs.mistakes import (
    WORST,
    find_mistakes,
    read_predictions,
    worst_mistakes,
    write_predictions,
)
from lenetctl.runs.records import MistakesRecord

PROBABILITIES = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.1, 0.9], [0.6, 0.4]], np.float32)


def test_the_most_confident_come_first_and_of_equals_the_lower_index():
    assert find_mistakes(PROBABILITIES, np.array([1, 1, 1, 0, 1])).tolist() == [0, 3, 2, 4]
    assert find_mistakes(PROBABILITIES, np.array([0, 1, 0, 1, 0])).tolist() == []


def test_the_record_holds_the_worst_with_their_pixels():
    images = torch.arange(40 * 784).remainder(256).to(torch.uint8).reshape(40, 28, 28)
    confidence = np.linspace(0.6, 0.99, 40, dtype=np.float32)
    record = worst_mistakes(
        np.stack([1 - confidence, confidence], 1), Split(images, torch.zeros(40, dtype=torch.int64))
    )
    read = MistakesRecord.model_validate_json(record.to_json())
    assert [one.index for one in read.mistakes] == list(range(39, 39 - WORST, -1))
    assert read.mistakes[2].probability == confidence[37]
    assert (read.mistakes[2].truth, read.mistakes[2].prediction) == (0, 1)
    np.testing.assert_array_equal(read.mistakes[2].image, images[37])


def test_a_finished_run_has_its_mistakes_and_an_older_one_none(finished, tmp_path):
    right = finished.result.final["test/accuracy"]
    assert len(finished.mistakes.mistakes) == min(WORST, round((1 - right) * 360))
    older = type(finished)(tmp_path)
    assert older.mistakes is None


def test_a_finished_run_keeps_what_it_takes_each_test_image_for(finished):
    images = np.sum(finished.result.confusion)
    found = read_predictions(finished, images)
    confusion = np.array(finished.result.confusion)
    assert np.bincount(found, minlength=10).tolist() == confusion.sum(0).tolist()
    assert (finished.path / PREDICTIONS).stat().st_size == images + 128


def test_probabilities_become_classes(tmp_path):
    run = Run(tmp_path)
    write_predictions(run, np.eye(10, dtype=np.float32)[[3, 9, 0]])
    assert read_predictions(run, 3).tolist() == [3, 9, 0]


def test_what_is_missing_or_damaged_is_told(tmp_path):
    run = Run(tmp_path)
    with pytest.raises(NotFoundError, match="no test predictions: an older version"):
        read_predictions(run, 3)
    file = run.path / PREDICTIONS
    np.save(file, np.array([object()]), allow_pickle=True)
    with pytest.raises(NotFoundError, match="not valid"):
        read_predictions(run, 3)
    for wrong in (np.zeros(4, np.uint8), np.full(3, 10, np.uint8), np.zeros(3)):
        np.save(file, wrong)
        with pytest.raises(NotFoundError, match="not the classes of 3 test images"):
            read_predictions(run, 3)
    file.write_bytes(b"")
    with pytest.raises(NotFoundError, match="not valid"):
        read_predictions(run, 3)
