"""A whole data set as numpy arrays, and a share of its images."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenetctl.data.images import MNIST_CONVENTION, ImageConvention
from lenetctl.errors import DataError


class LabelledImages(NamedTuple):
    """Images, uint8 (N, 28, 28), and their classes, integers (N,)."""

    images: NDArray[np.uint8]
    labels: NDArray[Any]


class RawDataset(NamedTuple):
    """The names of the classes, the images as their publisher split them, how they were made."""

    classes: tuple[str, ...]
    train: LabelledImages
    test: LabelledImages
    convention: ImageConvention = MNIST_CONVENTION
    skipped: str = ""  # how many files were none of its pictures, and why


def check_labels(name: str, source: RawDataset) -> None:
    """Refuse images and labels that do not fit together.

    Raises:
        DataError: naming the data set, the split and the numbers.

    """
    for split, (images, labels) in (("train", source.train), ("test", source.test)):
        if len(images) != len(labels):
            counts = f"{len(images):,} images but {len(labels):,} labels"
            raise DataError(f"{name}: its {split} set has {counts}: mend or fetch the files again")
        if not len(images):
            raise DataError(f"{name}: its {split} set is empty: mend or fetch the files again")
        low, high, last = labels.min(), labels.max(), len(source.classes) - 1
        if low < 0 or high > last:
            span = f"labels from {low} to {high}, where 0 to {last} are allowed"
            raise DataError(f"{name}: its {split} set has {span}: mend or fetch the files again")


def stratified_mask(labels: NDArray[Any], count: int) -> NDArray[np.bool_]:
    """Return a mask (N,) over `count` images, as many of each class as its share, give or take one.

    It depends on the labels alone, so that all runs of a comparison choose the same images.
    """
    # raw bits, because numpy promises those, unlike its permutations, to be the same for ever
    shuffled = np.argsort(np.random.PCG64(0).random_raw(len(labels)), kind="stable")
    place = np.empty(len(labels))  # of an image among those of its class, from 0 to 1
    for label in np.unique(labels):
        members = shuffled[labels[shuffled] == label]
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    mask = np.zeros(len(labels), dtype=bool)
    mask[np.argsort(place, kind="stable")[:count]] = True
    return mask
