"""A photographed digit as MNIST's were made (LeCun, Bottou, Bengio and Haffner, 1998, section III).

The ink is told from the paper, its box brought to 20×20 pixels in proportion, and its centre of
mass to the centre of 28×28.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lenetctl.specs import INPUT_SHAPE

Array = NDArray[Any]  # of floats

SIDE, BOX = INPUT_SHAPE[1], 20  # pixels, of an image and of the digit in it
WORKING = 256  # pixels: a longer side is brought down to it
FAINTEST = 8.0  # levels of grey between paper and ink, of 255; less is a blank sheet
INK = 0.4  # of the darkest stroke: more is ink
SPECK = 0.1  # of the largest stroke's area: less is dirt
ROUNDS = 5  # of fitting the paper to what is not ink


def fit_digit(grey: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return the digit in a picture (H, W) as an image (28, 28) like MNIST's, light on dark.

    None where nothing stands out from the paper. The ink may be darker or lighter than the paper,
    and the paper shaded.
    """
    picture = Image.fromarray(grey)
    picture.thumbnail((WORKING, WORKING), Image.Resampling.BOX)
    levels = np.asarray(picture, dtype=np.float32)
    contrast = levels - _paper(levels)
    if -contrast.min() > contrast.max():
        contrast = -contrast
    strokes = np.clip(contrast / max(FAINTEST, float(np.quantile(contrast, 0.999))), 0, 1)
    ink = _without_specks(strokes > INK)
    if contrast.max() < FAINTEST or not ink.any():
        return None
    rows, columns = (np.flatnonzero(ink.any(axis)) for axis in (1, 0))
    box = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    return _centred(Image.fromarray(np.where(_grown(ink), strokes, 0)).crop(box))


def _paper(levels: Array) -> Array:
    """Return the grey of the paper (H, W): the quadratic surface through all that is no ink."""
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in levels.shape)
    ones = np.ones_like(levels)
    x, y = ones * x, ones * y[:, None]
    terms = np.stack([ones, x, y, x * x, x * y, y * y], axis=-1)
    # the outermost tenth is mostly paper
    is_paper = np.maximum(abs(x), abs(y)) > 0.9
    count = 3  # of the terms: a plane at first, which strays little from the edge inwards
    for _ in range(ROUNDS):
        known, *_ = np.linalg.lstsq(terms[is_paper, :count], levels[is_paper], rcond=None)
        surface: Array = terms[..., :count] @ known
        off = abs(levels - surface)
        is_paper = off <= max(4.0, 3 * float(np.median(off[is_paper])))
        count = 6
    return surface


def _without_specks(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    from scipy.ndimage import label  # type: ignore[import-untyped]  # noqa: PLC0415  slow

    strokes, count = label(ink, np.ones((3, 3)))
    areas = np.bincount(strokes.ravel(), minlength=count + 1)
    areas[0] = 0
    kept: NDArray[np.bool_] = (areas >= SPECK * areas.max())[strokes] & ink
    return kept


def _grown(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the ink with its soft edge."""
    from scipy.ndimage import binary_dilation  # noqa: PLC0415

    grown: NDArray[np.bool_] = binary_dilation(ink, np.ones((3, 3)), iterations=2)
    return grown


def _centred(digit: Image.Image) -> NDArray[np.uint8]:
    scale = BOX / max(digit.size)
    size = [max(1, round(side * scale)) for side in digit.size]
    strokes = np.clip(np.asarray(digit.resize(size, Image.Resampling.BILINEAR)), 0, 1)
    strokes /= strokes.max()
    image = np.zeros((SIDE, SIDE), np.uint8)
    place = []
    for axis, length in enumerate(strokes.shape):
        weights = strokes.sum(axis=1 - axis)
        mass = float(weights @ (np.arange(length) + 0.5) / weights.sum())
        place.append(min(max(round(SIDE / 2 - mass), 0), SIDE - length))
    top, left = place
    rows, columns = slice(top, top + strokes.shape[0]), slice(left, left + strokes.shape[1])
    image[rows, columns] = np.rint(strokes * 255)
    return image
