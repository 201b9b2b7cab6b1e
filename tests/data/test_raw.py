import numpy as np
import pytest

from lenetctl.data.raw import LabelledImages, RawDataset, check_labels, stratified_mask
from lenetctl.errors import DataError

LABELS = np.repeat(np.arange(10), 60)


def source(train_labels, train_images=6):
    test = LabelledImages(np.zeros((2, 28, 28), np.uint8), np.zeros(2))
    train = LabelledImages(np.zeros((train_images, 28, 28), np.uint8), np.asarray(train_labels))
    return RawDataset(("a", "b", "c"), train, test)


def test_images_and_labels_that_fit_pass():
    check_labels("pets", source([0, 1, 2, 2, 1, 0]))


@pytest.mark.parametrize(
    ("bad", "match"),
    [
        (source([0, 1, 2]), "pets: its train set has 6 images but 3 labels"),
        (source([0, 1, 2, 3, 0, 0]), "labels from 0 to 3, where 0 to 2 are allowed"),
        (source([0, -1, 2, 2, 0, 0]), "labels from -1 to 2"),
        (source([], 0), "train set is empty"),
    ],
)
def test_what_does_not_fit_is_refused(bad, match):
    with pytest.raises(DataError, match=match):
        check_labels("pets", bad)


def test_held_out_images_are_stratified_exactly():
    mask = stratified_mask(LABELS, 200)
    np.testing.assert_array_equal(np.bincount(LABELS[mask]), np.full(10, 20))


@pytest.mark.parametrize("count", [1, 7, 123, 599])
def test_unequal_classes_are_held_out_in_proportion(count):
    labels = np.random.default_rng(3).permutation(np.repeat([0, 1, 2], [100, 300, 200]))
    taken = np.bincount(labels[stratified_mask(labels, count)], minlength=3)
    assert taken.sum() == count
    assert np.abs(taken - count * np.array([1, 3, 2]) / 6).max() <= 1


def test_the_same_images_are_held_out_for_ever():
    expected = [11, 92, 150, 196, 269, 340, 403, 461, 504, 569]
    assert np.flatnonzero(stratified_mask(LABELS, 10)).tolist() == expected
