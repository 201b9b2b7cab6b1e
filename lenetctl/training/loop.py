"""The training loop: a generator over epochs that prints and writes nothing."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lenetctl.data.device import DeviceDataset, DeviceSplit, stream_seed
from lenetctl.errors import DivergedError
from lenetctl.specs.schema import Spec
from lenetctl.training import metrics
from lenetctl.training.evaluate import Evaluation, evaluate
from lenetctl.training.meter import Meter
from lenetctl.training.metrics import EpochResult, Progress
from lenetctl.training.objective.curvature import measure_before_epoch
from lenetctl.training.schedule import learning_rate
from lenetctl.training.state import TrainingState
from lenetctl.training.steps import Step


@dataclass(frozen=True)
class EpochMeans:
    """Training in one epoch: means over its examples; times in seconds, from `perf_counter`."""

    loss: float
    accuracy: float
    started: float
    ended: float


def train(
    state: TrainingState,
    step: Step,
    splits: DeviceDataset,
    spec: Spec,
    on_progress: Callable[[Progress], None] | None = None,
) -> Iterator[EpochResult]:
    """Train from `state.epoch` on until the run is over, yielding the result of every epoch.

    `state` is changed in place. The best epoch is the one with the highest accuracy on the watched
    split; of several equal ones it is the first. The host never waits for the device inside an
    epoch.

    Raises:
        DivergedError: a loss of an epoch, on training or watched images, is not a finite number.

    """
    training, data = spec.training, spec.data
    steps = splits.steps_per_epoch(spec.data.batch_size)
    rate = learning_rate(training, steps)
    while not is_over(state, spec):
        epoch = state.epoch + 1
        torch.manual_seed(stream_seed("dropout", training.seed, epoch))
        meter = Meter(splits.train.labels.device)
        started = time.perf_counter()
        state.net.train()
        measure_before_epoch(state.optimizer, state.net, training, splits.train, epoch)
        batches = splits.train.shuffled_batches(data.batch_size, training.seed, epoch, data.augment)
        for number, (images, labels) in enumerate(batches):
            for group in state.optimizer.param_groups:
                group["lr"] = rate(state.epoch * steps + number)
            meter.add(*step(images, labels), len(labels))
            if state.ema is not None:
                _average(state, state.ema, training.ema or 0.0)
            if on_progress and (seen := meter.peek()):
                on_progress(Progress(epoch, number + 1, steps, *seen))
        trained = EpochMeans(*meter.read(), started, time.perf_counter())
        evaluation = evaluate_weights(state, state.weights(), splits.watched[1])
        yield finish_epoch(state, spec, splits, trained, evaluation)


def finish_epoch(
    state: TrainingState,
    spec: Spec,
    splits: DeviceDataset,
    trained: EpochMeans,
    evaluation: Evaluation,
) -> EpochResult:
    """Count an epoch of `state` as done and return its result.

    Raises:
        DivergedError: a loss is not a finite number.

    """
    epoch, watched = state.epoch + 1, splits.watched[0]
    for name, value in (("training", trained.loss), (watched, evaluation.loss)):
        if not math.isfinite(value):
            raise DivergedError(f"the {name} loss became {value} in epoch {epoch}")
    state.epoch = epoch
    is_best = evaluation.accuracy > state.best_accuracy
    if is_best:
        state.best_epoch, state.best_accuracy = epoch, evaluation.accuracy
    steps = splits.steps_per_epoch(spec.data.batch_size)
    measured = {
        metrics.TRAIN_LOSS: trained.loss,
        metrics.TRAIN_ACCURACY: trained.accuracy,
        **evaluation.metrics(watched),
        metrics.LEARNING_RATE: learning_rate(spec.training, steps)(epoch * steps - 1),
        metrics.EXAMPLES_PER_SECOND: len(splits.train) / (trained.ended - trained.started),
        metrics.EPOCH_SECONDS: time.perf_counter() - trained.started,
    }
    return EpochResult(epoch, measured, is_best)


def is_over(state: TrainingState, spec: Spec) -> bool:
    """Return whether all epochs are done, or patience is used up."""
    return state.epoch >= spec.training.epochs or stopped_early(state, spec)


def stopped_early(state: TrainingState, spec: Spec) -> bool:
    """Return whether the spec's patience is used up."""
    early = spec.training.early_stopping
    return early is not None and state.epoch - state.best_epoch >= early.patience


def evaluate_weights(
    state: TrainingState, weights: dict[str, Tensor], split: DeviceSplit
) -> Evaluation:
    """Return how well the state's net does with other weights; put its own back afterwards."""
    with other_weights(state, weights) as net:
        return evaluate(net, split, state.forward)


@contextmanager
def other_weights(state: TrainingState, weights: dict[str, Tensor]) -> Iterator[nn.Module]:
    """Yield the state's net with other weights; put its own back afterwards."""
    own = {name: value.clone() for name, value in state.net.state_dict().items()}
    state.net.load_state_dict(weights)
    try:
        yield state.net
    finally:
        state.net.load_state_dict(own)


@torch.no_grad()
def _average(state: TrainingState, averages: dict[str, Tensor], decay: float) -> None:
    own = state.net.state_dict()
    # running statistics of batch norm are averaged with the weights that they belong to
    torch._foreach_lerp_(list(averages.values()), [own[n] for n in averages], 1 - decay)
