"""From a spec's `data` section to the images and labels of a run."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lenetctl.data import digits, folder
from lenetctl.data.data_dir import choose_data_dir, is_complete, read_published
from lenetctl.data.fetch import fetch_dataset
from lenetctl.data.images import MNIST_CONVENTION, ImageConvention
from lenetctl.data.raw import (
    LabelledImages,
    RawDataset,
    check_labels,
    stratified_mask,
)
from lenetctl.errors import DataError, UsageError
from lenetctl.specs.data import DataSpec, LimitKeeps


@dataclass(frozen=True, eq=False)
class Split:
    """Images and their classes."""

    images: Tensor  # uint8 (N, 28, 28)
    labels: Tensor  # int64 (N,)


@dataclass(frozen=True, eq=False)
class Dataset:
    """The splits of one run."""

    name: str
    classes: tuple[str, ...]
    train: Split
    validation: Split | None
    test: Split
    digest: str  # SHA-256 of all images and labels as published, whatever is held out or left out
    mean: float  # of the pixels trained on, in [0, 1]
    std: float  # 1 where all pixels are alike, so that dividing by it is safe
    convention: ImageConvention = MNIST_CONVENTION  # how a user's picture becomes such an image
    skipped: str = ""  # how many files of its folder were left out, and why

    def normalisation(self, data: DataSpec) -> tuple[float, float]:
        """Return mean and std by which pixels in [0, 1] are normalised as `data` says."""
        if data.pixel_range:
            black, white = data.pixel_range
            return -black / (white - black), 1 / (white - black)
        return (self.mean, self.std) if data.normalize == "standard" else (0.0, 1.0)


def load_dataset(
    data: DataSpec,
    data_dir: Path | None = None,
    *,
    download: bool = True,
    limit_keeps: LimitKeeps = "share",
) -> Dataset:
    """Return the data set that `data` describes, fetched first where it is not there.

    `validation` images are held out, as many of each class as its share, the same ones whatever
    the training seed; so are the `limit` that are kept of the rest. Both stay in the published
    order. `limit_keeps` is for runs of version 0.1.0, which kept the first images.

    Raises:
        DataError: the data are missing, damaged, or do not fit together.
        UsageError: nothing is left to train on, or a link leads out of the data folder.

    """
    source = _source(data, choose_data_dir(data_dir), download=download)
    name = data.folder or data.dataset
    check_labels(name, source)
    count = len(source.train.labels)
    held_out = data.held_out(count)
    if held_out >= count:
        held = f"{held_out:,} of {name}'s {count:,} training images"
        raise UsageError(f"data.validation: holds out {held}: hold out fewer")
    train, validation = source.train, None
    if held_out:
        mask = stratified_mask(source.train.labels, held_out)
        train, validation = _select(train, ~mask), _split(_select(train, mask))
    if data.limit:
        first = np.arange(len(train.labels)) < data.limit
        share = stratified_mask(train.labels, data.limit)
        train = _select(train, share if limit_keeps == "share" else first)
    mean, std = _mean_and_std(train.images)
    return Dataset(
        name=name,
        classes=source.classes,
        train=_split(train),
        validation=validation,
        test=_split(source.test),
        digest=_digest(source),
        mean=mean,
        std=std,
        convention=source.convention,
        skipped=source.skipped,
    )


def numbered_as(dataset: Dataset, classes: Sequence[str]) -> Dataset:
    """Return `dataset` with its classes numbered as in `classes`, found there by name.

    Raises:
        DataError: one of them is not there.

    """
    if not set(dataset.classes) <= set(classes):
        known, here = ", ".join(classes), ", ".join(dataset.classes)
        raise DataError(f"{dataset.name}: its classes are {here}; the net was trained on {known}")
    numbers = torch.tensor([classes.index(name) for name in dataset.classes])

    def renumbered(split: Split) -> Split:
        return Split(split.images, numbers[split.labels])

    return replace(
        dataset,
        classes=tuple(classes),
        train=renumbered(dataset.train),
        validation=renumbered(dataset.validation) if dataset.validation else None,
        test=renumbered(dataset.test),
    )


def _source(data: DataSpec, data_dir: Path, *, download: bool) -> RawDataset:
    if data.dataset == "digits":
        return digits.read_digits()
    if data.folder is not None:
        return folder.read_folder(data_dir / data.folder)
    if download and not is_complete(data.dataset, data_dir):
        fetch_dataset(data.dataset, data_dir)
    return read_published(data.dataset, data_dir)


def _select(labelled: LabelledImages, mask: NDArray[np.bool_]) -> LabelledImages:
    return LabelledImages(labelled.images[mask], labelled.labels[mask])


def _split(labelled: LabelledImages) -> Split:
    labels = torch.from_numpy(labelled.labels.astype(np.int64))
    return Split(torch.from_numpy(labelled.images), labels)


def _mean_and_std(images: NDArray[np.uint8]) -> tuple[float, float]:
    # in integers, which every machine sums alike
    count, levels = images.size, torch.arange(256)
    counts = torch.bincount(torch.from_numpy(images).flatten(), minlength=len(levels))
    total, squares = int(counts @ levels), int(counts @ levels**2)
    variance = (count * squares - total * total) / count**2
    return total / count / 255, variance**0.5 / 255 or 1.0


def _digest(source: RawDataset) -> str:
    digest = hashlib.sha256()
    for images, labels in (source.train, source.test):
        digest.update(np.ascontiguousarray(images).data)
        digest.update(labels.astype(np.uint8).data)
    return digest.hexdigest()
