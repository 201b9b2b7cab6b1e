"""What trained nets take images for: pictures of the user's own, and whole splits."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lenetctl.analysis.activations import InspectedNet
from lenetctl.data.dataset import Dataset, Split
from lenetctl.data.device import DeviceSplit
from lenetctl.data.images import FORMATS, ImageConvention, read_image
from lenetctl.errors import DataError
from lenetctl.specs.layers import CLASSES
from lenetctl.training.evaluate import predict

SUFFIXES = {suffix for suffixes in FORMATS.values() for suffix in suffixes}


@dataclass(frozen=True, eq=False)
class Pictures:
    """P pictures as a net gets them, and the files that could not be read."""

    files: list[Path]  # P
    images: NDArray[np.uint8]  # (P, 28, 28)
    unreadable: dict[Path, str]  # why, by file


def read_pictures(paths: Sequence[Path], convention: ImageConvention) -> Pictures:
    """Read pictures, and those in folders at any depth, in the order of their names.

    Raises:
        DataError: none can be read.

    """
    files, images, unreadable = [], [], {}
    for path in chain.from_iterable(map(_files, paths)):
        try:
            images.append(read_image(path, convention))
            files.append(path)
        except DataError as error:
            unreadable[path] = str(error)
    if unreadable and not files:
        first, *others = unreadable.values()
        raise DataError(f"{first}; and {len(others)} more" if others else first)
    if not files:
        allowed = ", ".join(sorted(SUFFIXES))
        raise DataError(f"{', '.join(map(str, paths))}: no pictures in it ({allowed})")
    return Pictures(files, np.stack(images), unreadable)


def predict_images(
    inspected: InspectedNet, dataset: Dataset, images: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Return the probabilities (N, 10) of images (N, 28, 28), normalised as the net knows them."""
    split = Split(torch.from_numpy(images), torch.zeros(len(images)))
    prepared = DeviceSplit(split, "cpu", *inspected.normalisation(dataset))
    found: NDArray[np.float32] = predict(inspected.net, prepared).numpy()
    return found


def class_names(dataset: Dataset) -> list[str]:
    """Return a name for each of a net's ten outputs; those without a class have their number."""
    return [*dataset.classes, *map(str, range(len(dataset.classes), CLASSES))]


def _files(path: Path) -> list[Path]:
    """Return the pictures in a folder, by their suffixes; of a file the file itself."""
    if not path.is_dir():
        return [path]
    below = (file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
    return sorted(file for file in below if not file.name.startswith("."))
