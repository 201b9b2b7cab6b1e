"""Digits on paper become images as MNIST's are. The strokes are of the embedded digits."""

import numpy as np
import pytest
from PIL import Image

from lenetctl.data.digits import read_digits
from lenetctl.data.handwriting import fit_digit
from lenetctl.data.images import DIGIT_CONVENTION, read_image

PEN = 168  # pixels, side of the square that a digit is written in


@pytest.fixture(scope="module", params=[0, 2, 4, 7])
def strokes(request):
    """A digit as a pen writes it: (168, 168) from 0, paper, to 1, ink."""
    test = read_digits().test
    image = test.images[test.labels == request.param][0]
    large = Image.fromarray(image).resize((PEN, PEN), Image.Resampling.BICUBIC)
    return np.clip((np.asarray(large) / 255 - 0.3) / 0.4, 0, 1)


def page(strokes, side=240, corner=(36, 36), light=240.0, dark=None, ink=30.0):
    """Return square paper, from `light` on the left to `dark` on the right, with the digit."""
    paper = np.tile(np.linspace(light, light if dark is None else dark, side), (side, 1))
    part = paper[corner[0] : corner[0] + len(strokes), corner[1] : corner[1] + len(strokes)]
    part += strokes * (ink - part)
    paper += np.random.default_rng(0).normal(0, 3, paper.shape)
    return np.clip(paper, 0, 255).astype(np.uint8)


def box(image):
    rows, columns = (np.flatnonzero((image > 60).any(axis)) for axis in (1, 0))
    return np.ptp(rows) + 1, np.ptp(columns) + 1


def test_the_box_is_20_pixels_and_the_centre_of_mass_in_the_middle(strokes):
    image = fit_digit(page(strokes))
    assert (image.shape, image.dtype) == ((28, 28), np.uint8)
    assert max(box(image)) in (19, 20)
    for axis in (0, 1):
        weights = image.sum(axis=1 - axis)
        mass = weights @ (np.arange(28) + 0.5) / weights.sum()
        assert mass == pytest.approx(14, abs=0.6)
    assert image.max() == 255
    assert (image[[0, -1]] == 0).all()


PAGES = {
    "shaded": {"light": 245, "dark": 115},
    "grey": {"light": 165, "ink": 50},
    "dim": {"light": 100, "ink": 25},
    "corner": {"side": 2 * PEN, "corner": (PEN, 0)},
    "small": {"side": 5 * PEN, "corner": (100, 500)},
    "light on dark": {"light": 20, "ink": 230},
}


@pytest.mark.parametrize("kind", PAGES)
def test_neither_paper_nor_place_matter(strokes, kind):
    pages = page(strokes), page(strokes, **PAGES[kind])
    clean, found = (fit_digit(one).astype(float) for one in pages)
    alike = (clean * found).sum() / np.sqrt((clean**2).sum() * (found**2).sum())
    assert alike > 0.96


def test_dirt_is_no_part_of_the_digit(strokes):
    dirty = page(strokes)
    dirty[5:9, 5:9] = 30
    np.testing.assert_array_equal(fit_digit(dirty), fit_digit(page(strokes)))


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (7, 3), (200, 200)])
def test_a_blank_sheet_has_no_digit(shape, tmp_path):
    blank = np.full(shape, 240, np.uint8)
    assert fit_digit(blank) is None
    Image.fromarray(blank).save(tmp_path / "blank.png")
    assert (read_image(tmp_path / "blank.png", DIGIT_CONVENTION) == 15).all()


def test_an_image_of_mnist_stays_as_it_is(tmp_path):
    image = np.zeros((28, 28), np.uint8)
    image[3:25, 5:20] = np.random.default_rng(0).integers(0, 256, (22, 15))
    Image.fromarray(image).save(tmp_path / "own.png")
    np.testing.assert_array_equal(read_image(tmp_path / "own.png", DIGIT_CONVENTION), image)


@pytest.mark.parametrize("ink", [0, 255])
def test_ink_on_nothing_is_read(tmp_path, strokes, ink):
    drawn = np.dstack([np.full_like(strokes, ink)] * 3 + [strokes * 255]).astype(np.uint8)
    Image.fromarray(drawn).save(tmp_path / "drawn.png")
    image = read_image(tmp_path / "drawn.png", DIGIT_CONVENTION)
    assert max(box(image)) in (19, 20)
    assert image[0, 0] == 0
