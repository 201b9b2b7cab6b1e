import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lenetctl.data.catalog import CATALOG
from lenetctl.data.idx import TYPES


def idx_bytes(array):
    dtype = ">i4" if array.dtype.itemsize == 4 else ">u1"
    magic = bytes((0, 0, TYPES[dtype], array.ndim))
    return magic + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(dtype).tobytes()


@pytest.fixture(scope="session")
def to_idx() -> Callable[[np.ndarray], bytes]:
    return idx_bytes


@pytest.fixture
def write_known(tmp_path) -> Callable[..., Path]:
    """Write a small data set in torchvision's layout, with 40 images to train and 20 to test."""

    def write(name="kmnist", train_labels=None, test_labels=None):
        rng = np.random.default_rng(7)
        known = CATALOG[name]
        folder = tmp_path / known.folder
        folder.mkdir(parents=True, exist_ok=True)
        for i, (count, given) in enumerate(((40, train_labels), (20, test_labels))):
            labels = np.arange(count) % 10 if given is None else np.asarray(given)
            images, classes = known.files[2 * i], known.files[2 * i + 1]
            pixels = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
            (folder / images.name).write_bytes(idx_bytes(pixels))
            items = np.zeros((len(labels), *classes.item), np.dtype(classes.dtype))
            items.reshape(len(labels), -1)[:, 0] = labels
            (folder / classes.name).write_bytes(idx_bytes(items))
        return tmp_path

    return write


@pytest.fixture
def real_data() -> Path:
    if "LENETCTL_DATA" not in os.environ:
        pytest.skip("LENETCTL_DATA does not say where the real data are")
    return Path(os.environ["LENETCTL_DATA"])
