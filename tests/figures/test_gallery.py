import numpy as np
import pytest

from lenetctl.figures.gallery import gallery
from lenetctl.figures.style import SMALL, text_width


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (5, 5), (25, 5)])
def test_images_stand_in_lines_of_five(count, columns):
    images = np.full((count, 28, 28), 100, np.uint8)
    (axes,) = gallery(images, [["shirt", "→ coat"]] * count, "quick-s0").axes
    lefts = [image.get_extent()[0] for image in axes.images]
    assert len(set(np.round(lefts, 6))) == columns
    assert len(axes.images) == count
    for one in axes.images:
        left, right, bottom, top = one.get_extent()
        assert right - left == pytest.approx(top - bottom)


@pytest.mark.parametrize("name", ["x" * 30, "[brackets] {and} $more$ of it.png", "W" * 200])
def test_a_long_name_loses_its_middle(name):
    (axes,) = gallery(np.zeros((2, 28, 28)), [[name], ["short"]], "t").axes
    long, short = (text.get_text() for text in axes.texts)
    assert short == "short"
    assert text_width(long, SMALL) <= 1.35
    assert long[0] == name[0]
    assert long[-1] == name[-1]
    assert "…" in long
    half = long.split("…")
    assert name.startswith(half[0])
    assert name.endswith(half[1])


def test_a_long_title_fits():
    title = "a-name-of-thirty-characters-s0: labels of the validation set that no seed gets right"
    figure = gallery(np.zeros((1, 28, 28)), [["a"]], title)
    assert figure.get_size_inches()[0] >= text_width(title, figure.texts[0].get_size())
