"""MNIST-like tables as data sets: Kaggle's CSV files, and an .npz as Keras has it."""

import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenetctl.data.raw import LabelledImages
from lenetctl.errors import DataError
from lenetctl.specs import INPUT_SHAPE

PIXELS = INPUT_SHAPE[1] * INPUT_SHAPE[2]
MAX_BYTES = 2**30  # of a file, or of what an archive holds
KEYS = ("x_train", "y_train", "x_test", "y_test")  # Keras's names in an .npz


def read_tables(root: Path) -> tuple[LabelledImages, LabelledImages] | None:
    """Return the training and the test set of the tables in `root`; None where it has none.

    They are one .npz with the arrays x_train, y_train, x_test and y_test, or two CSV files, one
    with `train` and one with `test` in its name, of a label and 784 pixels a line.

    Raises:
        DataError: naming the file, whatever is wrong with it.

    """
    archives = sorted(root.glob("*.npz"))
    if len(archives) == 1:
        return _read_npz(archives[0])
    texts = sorted(root.glob("*.csv"))
    found = [[path for path in texts if part in path.name.lower()] for part in ("train", "test")]
    if not all(len(paths) == 1 for paths in found):
        return None
    train, test = (_read_csv(path) for (path,) in found)
    return train, test


def _read_npz(path: Path) -> tuple[LabelledImages, LabelledImages]:
    try:
        with zipfile.ZipFile(path) as archive:
            _check_size(path, sum(item.file_size for item in archive.infolist()))
        with np.load(path, allow_pickle=False) as arrays:  # a pickle runs code
            images, labels, *test = (arrays[key] for key in KEYS)
    except KeyError as error:
        raise DataError(f"{path}: must hold the arrays {', '.join(KEYS)} ({error})") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    return _checked(path, images, labels), _checked(path, *test)


def _read_csv(path: Path) -> LabelledImages:
    try:
        _check_size(path, path.stat().st_size)
        with path.open("rb") as file, warnings.catch_warnings(action="ignore"):
            numbers = np.loadtxt(_lines(path, file), np.int32, delimiter=",", ndmin=2)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    return _checked(path, numbers[:, 1:], numbers[:, 0])


def _lines(path: Path, file: Any) -> Iterator[str]:
    """Yield the lines but for a header, the first of them checked for its length."""
    for number, line in enumerate(file):
        text = line.decode("ascii", "replace")
        if number == 0:
            cells = text.split(",")
            if len(cells) != 1 + PIXELS:
                columns = f"{len(cells)} columns, not a label and {PIXELS} pixels"
                raise DataError(f"{path}: {columns}: Kaggle's test.csv has no labels")
            if not cells[0].strip().isdigit():  # `label`, and the names of the pixels
                continue
        yield text


def _check_size(path: Path, size: int) -> None:
    if size > MAX_BYTES:
        raise DataError(f"{path}: {size:,} bytes, more than any data set like MNIST")


def _checked(path: Path, images: NDArray[Any], labels: NDArray[Any]) -> LabelledImages:
    """Return images as bytes (N, 28, 28) and labels (N,)."""
    count = len(images) if images.ndim else 0
    if images.size != count * PIXELS or images.dtype.kind not in "iu" or labels.ndim != 1:
        shapes = f"{images.dtype} {images.shape} and {labels.shape}"
        raise DataError(f"{path}: must hold whole numbers (N, 28, 28) and (N,), not {shapes}")
    if count and not 0 <= images.min() <= images.max() <= 255:
        raise DataError(f"{path}: its pixels are not from 0 to 255")
    return LabelledImages(images.astype(np.uint8).reshape(-1, *INPUT_SHAPE[1:]), labels)
