"""What a user should hear of an experiment that is possible but hardly meant so."""

from collections.abc import Iterator
from math import log, prod

import torch

from lenetctl.data.dataset import Dataset
from lenetctl.errors import UsageError
from lenetctl.specs.layers import plan_layers
from lenetctl.specs.schema import Spec, TrainingSpec
from lenetctl.specs.training import ByEpoch, OneCycle
from lenetctl.training.metrics import TRAIN_LOSS
from lenetctl.training.objective.loss import is_in_nats

PLATEAU = 0.02  # nats below the loss of guessing: a training loss that is higher is a plateau
LEARNT = 0.1  # of the way from the accuracy of guessing to 1: one that is higher is none


def check_batch_norm(spec: Spec, images: int) -> None:
    """Refuse to train on so many images where batch norm would meet a single value.

    Raises:
        UsageError: its maps are 1×1, and a batch is one image.

    """
    size = spec.data.batch_size
    if (images % size or size) > 1 and images > 1:
        return
    for layer in plan_layers(spec.model):
        if layer.kind == "norm" and prod(layer.output_shape[1:]) == 1:
            raise UsageError(
                f"data.batch_size: {size} leaves a batch of one of the {images:,} training images, "
                f"and {layer.name}, over 1×1 maps, needs two: choose another size or norm: none"
            )


def warnings_before(spec: Spec, dataset: Dataset) -> Iterator[str]:
    """Yield what should be told before training."""
    schedule, epochs = spec.training.schedule, spec.training.epochs
    if not isinstance(schedule, OneCycle | ByEpoch) and schedule.warmup >= epochs:
        yield (
            f"training.schedule.warmup: {schedule.warmup:g} epochs are the whole training of "
            f"{epochs}: the learning rate only rises"
        )
    if dataset.skipped:
        yield f"{dataset.name}: {dataset.skipped}"
    images = dataset.train.images
    if len(images) > 1 and torch.equal(images, images[:1].expand_as(images)):
        yield f"all training images of {dataset.name} are the same: look at the pictures"


def is_plateau(last: dict[str, float], training: TrainingSpec, dataset: Dataset) -> bool:
    """Return whether a run whose last epoch has these metrics has learnt nothing but to guess.

    Its accuracy says so, and where the loss is a plain cross-entropy, that does too.
    """
    labels = dataset.train.labels
    guessing = int(labels.bincount().max()) / len(labels)  # always the most frequent class
    accuracy = max(value for name, value in last.items() if name.endswith("/accuracy"))
    if is_in_nats(training) and last[TRAIN_LOSS] <= log(len(dataset.classes)) - PLATEAU:
        return False
    return accuracy < guessing + LEARNT * (1 - guessing)
