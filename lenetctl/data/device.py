"""A data set on the device, in batches. Nothing here touches torch's global generator."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from lenetctl.data.augment import augment_images
from lenetctl.data.dataset import Dataset, Split
from lenetctl.specs.schema import Augmentation, DataSpec

Batch = tuple[Tensor, Tensor]  # float32 (B, 1, 28, 28), int64 (B,)


def stream_seed(purpose: str, seed: int, epoch: int) -> int:
    """Return the seed of the generator for one purpose in one epoch of a run."""
    digest = hashlib.sha256(f"{purpose} {seed} {epoch}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1  # 63 bits: every device's generator takes them


class DeviceSplit:
    """A whole split on the device: pixels, uint8 (N, 1, 28, 28), and labels, int64 (N,).

    Images are normalised batch by batch: all of them in float32 would take four times the memory.
    """

    def __init__(
        self, split: Split, device: torch.device | str, mean: float = 0.0, std: float = 1.0
    ) -> None:
        """Move `split` to `device`; `mean` and `std` are of pixels in [0, 1]."""
        self.pixels = split.images.to(device).unsqueeze(1)
        self.labels = split.labels.to(device)
        self.black = -mean / std  # a black pixel, normalised
        self._mean, self._std = mean, std

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Tensor) -> Batch:
        """Return the images at `index`, float32 (*index.shape, 1, 28, 28), and their labels."""
        # several times as fast as pixels[index]
        pixels = self.pixels.index_select(0, index.flatten())
        return self._normalised(pixels).view(*index.shape, *pixels.shape[1:]), self.labels[index]

    def all_images(self) -> Tensor:
        """Return all images at once, float32 (N, 1, 28, 28), normalised."""
        return self._normalised(self.pixels)

    def batches(self, batch_size: int) -> Iterator[Batch]:
        """Yield every batch in the stored order; the last one may be smaller."""
        pixels, labels = (torch.split(part, batch_size) for part in (self.pixels, self.labels))
        yield from zip(map(self._normalised, pixels), labels, strict=True)

    def shuffled_batches(
        self, batch_size: int, seed: int, epoch: int, augment: Sequence[Augmentation] = ()
    ) -> Iterator[Batch]:
        """Yield every batch of an epoch; the last one may be smaller.

        The order depends on seed and epoch alone, the same on every device; what augmentation
        draws depends on the device too.
        """
        generator = self._generator(seed, epoch)
        for index in torch.split(self._order(seed, epoch), batch_size):
            images, labels = self[index]
            yield self._augment(images, augment, generator), labels

    def fleet_batches(
        self,
        batch_size: int,
        streams: Sequence[tuple[int, int]],
        augment: Sequence[Augmentation] = (),
    ) -> Iterator[Batch]:
        """Yield the batches of a fleet of M runs, (B, M, 1, 28, 28) and (B, M).

        Column m is what `shuffled_batches` yields for `streams[m]`, a seed and an epoch.
        """
        orders = torch.stack([self._order(*stream) for stream in streams], dim=1)
        generators = [self._generator(*stream) for stream in streams]
        for index in torch.split(orders, batch_size):
            images, labels = self[index]
            if augment:
                columns = zip(images.unbind(1), generators, strict=True)
                images = torch.stack([self._augment(i, augment, g) for i, g in columns], dim=1)
            yield images, labels

    def _order(self, seed: int, epoch: int) -> Tensor:
        shuffle = torch.Generator().manual_seed(stream_seed("shuffle", seed, epoch))
        return torch.randperm(len(self), generator=shuffle).to(self.labels.device)

    def _generator(self, seed: int, epoch: int) -> torch.Generator:
        seed = stream_seed("augment", seed, epoch)
        return torch.Generator(self.labels.device).manual_seed(seed)

    def _normalised(self, pixels: Tensor) -> Tensor:
        images = pixels / 255
        if (self._mean, self._std) == (0, 1):
            return images
        return images.sub_(self._mean).div_(self._std)

    def _augment(
        self, images: Tensor, augment: Sequence[Augmentation], generator: torch.Generator
    ) -> Tensor:
        if not augment:
            return images
        return augment_images(images - self.black, augment, generator) + self.black


@dataclass(frozen=True, eq=False)
class DeviceDataset:
    """The splits of a data set on the device."""

    train: DeviceSplit
    validation: DeviceSplit | None
    test: DeviceSplit

    @classmethod
    def of(cls, dataset: Dataset, data: DataSpec, device: torch.device | str) -> Self:
        """Move `dataset` to `device`, normalised by its training images where `data` says so."""
        mean, std = dataset.normalisation(data)
        held_out = dataset.validation
        return cls(
            DeviceSplit(dataset.train, device, mean, std),
            DeviceSplit(held_out, device, mean, std) if held_out else None,
            DeviceSplit(dataset.test, device, mean, std),
        )

    @property
    def watched(self) -> tuple[str, DeviceSplit]:
        """The split measured after every epoch: validation, or the test set as the book does."""
        return ("validation", self.validation) if self.validation else ("test", self.test)

    def steps_per_epoch(self, batch_size: int) -> int:
        """Return the number of batches of the training split, a smaller last one counted."""
        return math.ceil(len(self.train) / batch_size)
