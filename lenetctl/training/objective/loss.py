"""The losses: means over a batch, from logits (B, 10) and labels (B,)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, pad

from lenetctl.specs.schema import TrainingSpec

Loss = Callable[[Tensor, Tensor], Tensor]


def mean_loss(training: TrainingSpec) -> Loss:
    """Return the loss that `training` makes small."""
    return LOSSES["rubbish" if training.rubbish else training.loss](training)


def is_in_nats(training: TrainingSpec) -> bool:
    """Return whether the loss of guessing is the logarithm of the number of classes."""
    return training.loss == "cross_entropy" and not training.rubbish


def summed_over_devices(loss: Loss, logits: Tensor, labels: Tensor, devices: int) -> Tensor:
    """Return the sum of the means over the shares that `devices` have of a batch.

    Its gradient is what DJL makes of a batch on several devices: they get as many images each,
    rounded up, and the last what is left (`StackBatchifier.split`); each takes the gradient of its
    own mean, and its parameter servers add them up. Of five images on four devices the fourth gets
    none.
    """
    share = -(-len(labels) // devices)
    pairs = zip(torch.split(logits, share), torch.split(labels, share), strict=True)
    return torch.stack([loss(*pair) for pair in pairs]).sum()


def squared_distance(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean squared distance to the code of the right class: an RBF output is minus it.

    Equation 8 of LeCun et al. (1998).
    """
    return -logits.gather(1, labels.unsqueeze(1)).float().mean()


def with_rubbish(logits: Tensor, labels: Tensor, distance: float) -> Tensor:
    """Return the cross-entropy with one more class, always at `distance`, that no image is of.

    Equation 9 of LeCun et al. (1998), whose j is the distance: y_label + log(e^-j + sum of e^-y).
    """
    return cross_entropy(pad(logits, (0, 1), value=-distance), labels)


# by what `kinds_of` calls them
LOSSES: dict[str, Callable[[TrainingSpec], Loss]] = {
    "cross_entropy": lambda training: partial(
        cross_entropy, label_smoothing=training.label_smoothing
    ),
    "squared_distance": lambda _: squared_distance,
    "rubbish": lambda training: partial(with_rubbish, distance=training.rubbish or 0.0),
}
