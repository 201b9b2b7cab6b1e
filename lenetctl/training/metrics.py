"""What an epoch measures, under which names, and which way is better. No torch."""

from dataclasses import dataclass
from math import log

from lenetctl.specs.layers import CLASSES

TRAIN_LOSS, TRAIN_ACCURACY = "train/loss", "train/accuracy"
VALIDATION_LOSS, VALIDATION_ACCURACY = "validation/loss", "validation/accuracy"
TEST_LOSS, TEST_ACCURACY = "test/loss", "test/accuracy"
LEARNING_RATE = "learning_rate"  # of the epoch's last step
EXAMPLES_PER_SECOND = "examples_per_second"  # of training alone
EPOCH_SECONDS = "epoch_seconds"  # training and evaluation
LAYERS = "layers/"  # with --diagnostics: layers/conv1/gradient_norm and the like

GUESSING = log(CLASSES) - 0.02  # nats: a training loss above it is that of guessing
GUESSING_ACCURACY = 2 / CLASSES  # a training accuracy below it is hardly more

CLOCK_READINGS = frozenset({EXAMPLES_PER_SECOND, EPOCH_SECONDS})  # differ between equal runs


def loss_of(split: str) -> str:
    """Return the name of the loss on `split`: that trained on, else cross-entropy in nats."""
    return f"{split}/loss"


def accuracy_of(split: str) -> str:
    """Return the name of the fraction of `split` whose class is predicted."""
    return f"{split}/accuracy"


def lowest_is_best(metric: str) -> bool:
    """Return whether less of `metric` is better: of losses and seconds, `best/test/loss` too."""
    return metric.endswith(("loss", "seconds"))


@dataclass(frozen=True)
class Progress:
    """How far an epoch is, for a live display; loss and accuracy are those of the epoch so far."""

    epoch: int
    step: int
    steps: int
    loss: float
    accuracy: float


@dataclass(frozen=True)
class EpochResult:
    """One epoch: its number from 1, its metrics by name, whether it is the best so far."""

    epoch: int
    metrics: dict[str, float]
    is_best: bool
