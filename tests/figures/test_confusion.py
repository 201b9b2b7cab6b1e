"""The confusion matrix."""

import numpy as np

from lenetctl.figures import confusion_matrix

CLASSES = ["t-shirt", "trouser", "pullover", "dress", "coat"]
CLASSES += ["sandal", "shirt", "sneaker", "bag", "ankle boot"]


def words(figure):
    """Return what is written beside and in the cells, by its place there: (row, column)."""
    (axes,) = figure.axes
    texts = [text for text in figure.texts if text.get_transform() == axes.transData]
    return {text.get_position()[::-1]: text.get_text() for text in texts}


def names(figure):
    """Return the words left of the rows and those below the columns."""
    written = words(figure)
    (axes,) = figure.axes
    rows, columns = axes.images[0].get_array().shape
    beside = [written[place] for place in sorted(written) if -1 < place[1] < 0]
    below = [written[place] for place in sorted(written) if rows - 0.5 < place[0] < rows]
    assert (len(beside), len(below)) == (rows, columns)
    return beside, below


def test_counts_stand_in_cells_coloured_by_their_row():
    matrix = np.random.default_rng(0).integers(1, 10_000, (10, 10))
    figure = confusion_matrix(matrix, CLASSES, "baseline-s0, test")
    (axes,) = figure.axes
    (image,) = axes.images
    np.testing.assert_allclose(image.get_array(), matrix / matrix.sum(axis=1, keepdims=True))
    assert image.get_clim() == (0, 1)
    written = words(figure)
    assert all(int(written[place]) == count for place, count in np.ndenumerate(matrix))
    assert names(figure) == (CLASSES, CLASSES)
    assert {"predicted class", "true class"} < set(written.values())
    assert axes.yaxis_inverted()  # the first class on top


def test_nothing_is_cut_off_or_overlaps(assert_tidy):
    matrix = np.full((10, 10), 99_999)
    for classes in (CLASSES, [str(n) for n in range(10)]):
        assert_tidy(confusion_matrix(matrix, classes, "a title"))


def test_a_class_without_images_is_no_division_by_zero():
    matrix = np.array([[0, 0], [1, 3]])
    figure = confusion_matrix(matrix, ["a", "b"])
    (image,) = figure.axes[0].images
    assert image.get_array().tolist() == [[0, 0], [0.25, 0.75]]
    assert "0" not in words(figure).values()  # such a cell is empty


def test_predictions_that_are_no_class_have_a_column_of_their_own(assert_tidy):
    figure = confusion_matrix(np.array([[5, 1, 0], [0, 3, 2]]), ["cat", "dog"], "pets")
    assert names(figure) == (["cat", "dog"], ["cat", "dog", "none"])
    assert_tidy(figure)
