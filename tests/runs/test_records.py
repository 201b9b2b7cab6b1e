import numpy as np

from lenetctl.runs.records import confusion_of


def test_the_confusion_of_two_classes_is_two_by_two():
    counts = np.zeros((10, 10), int)
    counts[:2, :2] = [[5, 1], [2, 4]]
    assert confusion_of(counts, 2).tolist() == [[5, 1], [2, 4]]
    assert confusion_of(counts[:2, :2], 2).tolist() == [[5, 1], [2, 4]]
    counts[1, 7] = 3
    assert confusion_of(counts, 2).tolist() == [[5, 1, 0], [2, 4, 3]]
    assert confusion_of(counts, 10).tolist() == counts.tolist()
