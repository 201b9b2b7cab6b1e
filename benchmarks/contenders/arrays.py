"""The training images as arrays, for contenders that take the whole of them."""

import os
from pathlib import Path

import numpy as np


def train_arrays() -> tuple[np.ndarray, np.ndarray]:
    """Return images, float32 (60000, 28, 28, 1) in [0, 1], and labels, int32 (60000,)."""
    raw = Path(os.environ["LENETCTL_DATA"]) / "FashionMNIST" / "raw"
    images = np.fromfile(raw / "train-images-idx3-ubyte", np.uint8, offset=16)
    labels = np.fromfile(raw / "train-labels-idx1-ubyte", np.uint8, offset=8)
    images, labels = (
        part.astype(kind)[: int(os.environ["BENCHMARK_IMAGES"])]
        for part, kind in ((images.reshape(-1, 28, 28, 1), np.float32), (labels, np.int32))
    )
    return images / 255, labels
