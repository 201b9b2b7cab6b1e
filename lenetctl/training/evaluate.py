"""Loss, accuracy and confusion of a net on a split."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lenetctl.data.device import DeviceSplit
from lenetctl.specs.layers import CLASSES
from lenetctl.training.meter import CompensatedSum
from lenetctl.training.metrics import accuracy_of, loss_of

Forward = Callable[[Tensor], Tensor]  # from images (B, 1, 28, 28) to logits (B, 10)

BATCH = 500  # fixed, so that a result does not depend on the batch size of training


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How well a net does on one split."""

    loss: float  # mean cross-entropy in nats
    confusion: NDArray[np.int64]  # (10, 10) counts; rows: truth, columns: prediction

    @property
    def accuracy(self) -> float:
        """Fraction of images whose class is predicted."""
        return float(self.confusion.trace() / self.confusion.sum())

    def metrics(self, split: str) -> dict[str, float]:
        """Return what a run keeps of it, by the names of the metrics of `split`."""
        return {loss_of(split): self.loss, accuracy_of(split): self.accuracy}


@torch.inference_mode()
def evaluate(net: nn.Module, split: DeviceSplit, forward: Forward | None = None) -> Evaluation:
    """Return how well `net` does on `split`, in float32; its mode is put back afterwards.

    `forward` is an engine's way from images to the net's logits.
    """
    forward = forward or net
    was_training = net.training
    net.eval()
    device = split.labels.device
    loss = CompensatedSum(device=device)
    confusion = torch.zeros(CLASSES**2, dtype=torch.int64, device=device)
    one = torch.ones((), dtype=torch.int64, device=device)
    for images, labels in split.batches(BATCH):
        logits = forward(images)
        loss.add(cross_entropy(logits, labels, reduction="sum"))
        pairs = labels * CLASSES + logits.argmax(1)
        confusion.scatter_add_(0, pairs, one.expand_as(pairs))
    net.train(was_training)
    # the only place that waits for the device
    return Evaluation(
        loss.value.item() / len(split), confusion.cpu().numpy().reshape(CLASSES, CLASSES)
    )


@torch.inference_mode()
def predict(net: nn.Module, split: DeviceSplit, forward: Forward | None = None) -> Tensor:
    """Return the probabilities of the classes, float32 (N, 10) on the CPU; else as `evaluate`."""
    forward = forward or net
    was_training = net.training
    net.eval()
    found = torch.cat([forward(images).softmax(1) for images, _ in split.batches(BATCH)])
    net.train(was_training)
    return found.cpu()
