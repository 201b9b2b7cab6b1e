"""The 1,797 handwritten digits that come with scikit-learn: no network needed."""

from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenetctl.data.raw import LabelledImages, RawDataset, stratified_mask

FILE = "sklearn/datasets/data/digits.csv.gz"
TEST_IMAGES = 360  # a fifth


@cache
def read_digits() -> RawDataset:
    """Return the digits as 28×28 images: 1,437 to train, 360 to test, stratified by class.

    The data (Alpaydin and Kaynak, 1998, UCI Machine Learning Repository) come in no official split.
    """
    table = _table()
    pixels, labels = table[:, :-1].reshape(-1, 8, 8), table[:, -1]
    images = _enlarge(pixels)
    test = stratified_mask(labels, TEST_IMAGES)
    return RawDataset(
        tuple("0123456789"),
        LabelledImages(images[~test], labels[~test]),
        LabelledImages(images[test], labels[test]),
    )


def _table() -> NDArray[Any]:
    """Return 64 pixels, 0 to 16, and the class of each digit (1797, 65)."""
    # importing sklearn.datasets takes 3 s, reading its file 5 ms
    file = Path(str(distribution("scikit-learn").locate_file(FILE)))
    if file.is_file():
        return np.loadtxt(file, dtype=np.int64, delimiter=",")
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]  # noqa: PLC0415

    pixels, labels = load_digits(return_X_y=True)
    return np.column_stack((pixels, labels)).astype(np.int64)


def _enlarge(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return 8×8 images of 0 to 16 as 28×28 of 0 to 255, bilinearly, pixel centres aligned."""
    centres = (np.arange(28) + 0.5) * 8 / 28 - 0.5
    weights = np.stack([np.interp(centres, np.arange(8), row) for row in np.eye(8)], axis=1)
    # all weights are fourteenths: with integers every machine rounds alike
    fourteenths = np.rint(weights * 14).astype(np.int64)  # (28, 8)
    sums = fourteenths @ pixels @ fourteenths.T
    scale = 14 * 14 * 16
    enlarged: NDArray[np.uint8] = ((sums * 255 + scale // 2) // scale).astype(np.uint8)
    return enlarged
