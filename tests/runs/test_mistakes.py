import numpy as np
import torch

from lenetctl.data.dataset import Split
from lenetctl.runs.mistakes import WORST, find_mistakes, worst_mistakes
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
