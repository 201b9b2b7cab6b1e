"""The confusion matrix."""

import numpy as np

from lenetctl.figures import confusion_matrix

CLASSES = ["t-shirt", "trouser", "pullover", "dress", "coat"]
CLASSES += ["sandal", "shirt", "sneaker", "bag", "ankle boot"]


def test_counts_stand_in_cells_coloured_by_their_row(assert_tidy):
    matrix = np.random.default_rng(0).integers(0, 10_000, (10, 10))
    figure = confusion_matrix(matrix, CLASSES, "baseline-s0, test")
    (axes,) = figure.axes
    (image,) = axes.images
    np.testing.assert_allclose(image.get_array(), matrix / matrix.sum(axis=1, keepdims=True))
    assert image.get_clim() == (0, 1)
    written = [text for text in figure.texts if text.get_transform() == axes.transData]
    counts = {text.get_position()[::-1]: int(text.get_text()) for text in written}
    assert counts == dict(np.ndenumerate(matrix))
    assert [label.get_text() for label in axes.get_xticklabels()] == CLASSES
    assert [label.get_text() for label in axes.get_yticklabels()] == CLASSES
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")
    assert axes.yaxis_inverted()  # the first class on top


def test_nothing_is_cut_off_or_overlaps(assert_tidy):
    matrix = np.full((10, 10), 99_999)
    for classes in (CLASSES, [str(n) for n in range(10)]):
        assert_tidy(confusion_matrix(matrix, classes, "a title"))


def test_a_class_without_images_is_no_division_by_zero():
    matrix = np.array([[0, 0], [1, 3]])
    (image,) = confusion_matrix(matrix, ["a", "b"]).axes[0].images
    assert image.get_array().tolist() == [[0, 0], [0.25, 0.75]]


def test_predictions_that_are_no_class_have_a_column_of_their_own(assert_tidy):
    figure = confusion_matrix(np.array([[5, 1, 0], [0, 3, 2]]), ["cat", "dog"], "pets")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["cat", "dog", "none"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "dog"]
    assert_tidy(figure)
