"""A split on the device, and the batches of it. Nothing here touches torch's global generator."""

import hashlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from lenetctl.data.augment import augment as augmented
from lenetctl.data.dataset import Split
from lenetctl.specs.schema import Augmentation

Batch = tuple[Tensor, Tensor]  # float32 (B, 1, 28, 28), int64 (B,)


def stream_seed(purpose: str, seed: int, epoch: int) -> int:
    """Return the seed of a generator of its own for one purpose in one epoch of a run."""
    digest = hashlib.sha256(f"{purpose} {seed} {epoch}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1  # 63 bits: every device's generator takes them


class DeviceSplit:
    """A whole split on the device: images, float32 (N, 1, 28, 28) normalised, and labels (N,)."""

    def __init__(
        self, split: Split, device: torch.device | str, mean: float = 0.0, std: float = 1.0
    ) -> None:
        """Move `split` to `device`; `mean` and `std` are of pixels in [0, 1]."""
        images = split.images.to(device).unsqueeze(1).float()
        self.images = images.div_(255).sub_(mean).div_(std)
        self.labels = split.labels.to(device)
        self.black = -mean / std

    def __len__(self) -> int:
        return len(self.labels)

    def in_order(self, batch_size: int) -> Iterator[Batch]:
        """Yield views of every batch, the last one as small as it comes."""
        yield from zip(
            torch.split(self.images, batch_size), torch.split(self.labels, batch_size), strict=True
        )

    def shuffled(
        self, batch_size: int, seed: int, epoch: int, augment: Sequence[Augmentation] = ()
    ) -> Iterator[Batch]:
        """Yield every batch of an epoch, the last one as small as it comes.

        The order depends on seed and epoch alone, the same on every device; what augmentation
        draws depends on the device too.
        """
        generator = self._generator(seed, epoch)
        for index in torch.split(self._order(seed, epoch), batch_size):
            yield self._augmented(self.images[index], augment, generator), self.labels[index]

    def side_by_side(
        self,
        batch_size: int,
        streams: Sequence[tuple[int, int]],
        augment: Sequence[Augmentation] = (),
    ) -> Iterator[Batch]:
        """Yield the batches of M runs at once, (B, M, 1, 28, 28) and (B, M).

        Column m is what `shuffled` yields for `streams[m]`, a seed and an epoch.
        """
        orders = torch.stack([self._order(*stream) for stream in streams], dim=1)
        generators = [self._generator(*stream) for stream in streams]
        for index in torch.split(orders, batch_size):
            images = self.images[index]
            if augment:
                columns = zip(images.unbind(1), generators, strict=True)
                images = torch.stack([self._augmented(i, augment, g) for i, g in columns], dim=1)
            yield images, self.labels[index]

    def _order(self, seed: int, epoch: int) -> Tensor:
        shuffle = torch.Generator().manual_seed(stream_seed("shuffle", seed, epoch))
        return torch.randperm(len(self), generator=shuffle).to(self.images.device)

    def _generator(self, seed: int, epoch: int) -> torch.Generator:
        seed = stream_seed("augment", seed, epoch)
        return torch.Generator(self.images.device).manual_seed(seed)

    def _augmented(
        self, images: Tensor, augment: Sequence[Augmentation], generator: torch.Generator
    ) -> Tensor:
        if not augment:
            return images
        return augmented(images - self.black, augment, generator) + self.black
