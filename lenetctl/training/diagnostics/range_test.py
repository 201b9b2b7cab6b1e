"""Which learning rates a net stands: L. N. Smith, "Cyclical learning rates" (2017), section 3.3."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from math import isfinite

import torch

from lenetctl.data.device import Batch, DeviceSplit
from lenetctl.specs.schema import Spec
from lenetctl.training import steps
from lenetctl.training.metrics import GUESSING
from lenetctl.training.objective.curvature import measure_before_epoch
from lenetctl.training.optimizers import build_optimizer
from lenetctl.training.state import initial_net

LOWEST, HIGHEST, STEPS = 1e-5, 10.0, 150
BATCH = 256  # images at most: the test takes seconds whatever the spec's batch
SMOOTHING = 0.9  # of the losses, as a moving average
FALLEN = 0.9  # of its first value: a loss of another unit that is lower has left guessing
_SETTLED = 20  # steps until the average is one


@dataclass(frozen=True)
class RangeTest:
    """Smoothed training losses at rising learning rates, up to where they blew up."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]  # nats; as many as rates
    diverged: bool
    guessing: float = GUESSING  # a loss below it has left guessing

    @property
    def largest_stable(self) -> float:
        """The last rate before the loss gave back half of what it had won."""
        lowest = min(self.losses)
        limit = (self.losses[0] + lowest) / 2
        after = range(self.losses.index(lowest), len(self.losses))
        return self.rates[next((n - 1 for n in after if self.losses[n] > limit), after[-1])]

    @property
    def steepest(self) -> float:
        """The rate at which the loss fell fastest, by the logarithm of the rate, to its lowest."""
        before = range(_SETTLED, self.losses.index(min(self.losses)))
        falls = {n: self.losses[n] - self.losses[n + 1] for n in before}
        return self.rates[max(falls, key=falls.__getitem__, default=0)]

    @property
    def left_guessing(self) -> bool:
        """Whether the net learned to tell classes apart at all."""
        return min(self.losses) < self.guessing

    @property
    def suggestion(self) -> float:
        """A rate to train at: half of that with the lowest loss, as the average lags behind.

        A net that does not leave guessing in so few steps gets the largest stable rate.
        """
        lowest = self.rates[self.losses.index(min(self.losses))]
        return float(f"{lowest / 2 if self.left_guessing else self.largest_stable:.2g}")


def range_test(spec: Spec, split: DeviceSplit) -> RangeTest:
    """Train the net of `spec` for `STEPS` steps, each at a higher rate, from its initial weights.

    The state of torch's global generator does not change.
    """
    device = split.labels.device
    net = initial_net(spec, device).train()
    optimizer = build_optimizer(net.parameters(), spec.training.optimizer)
    step = steps.eager(net, optimizer, spec.training)
    measure_before_epoch(optimizer, net, spec.training, split, 1)
    (group,) = optimizer.param_groups
    rates: list[float] = []
    losses: list[float] = []
    average, diverged = 0.0, False
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(spec.training.seed)  # of dropout
        for number, (images, labels) in zip(range(STEPS), _batches(spec, split), strict=False):
            rate = LOWEST * (HIGHEST / LOWEST) ** (number / (STEPS - 1))
            group["lr"] = rate
            loss = float(step(images, labels)[0])
            average = SMOOTHING * average + (1 - SMOOTHING) * loss
            smoothed = average / (1 - SMOOTHING ** (number + 1))
            if not isfinite(smoothed) or (losses and smoothed > 4 * min(losses)):
                diverged = True
                break
            rates.append(rate)
            losses.append(smoothed)
    is_in_nats = spec.training.loss == "cross_entropy" and not spec.training.rubbish
    guessing = GUESSING if is_in_nats else FALLEN * losses[0]
    return RangeTest(tuple(rates), tuple(losses), diverged, guessing)


def _batches(spec: Spec, split: DeviceSplit) -> Iterator[Batch]:
    size = min(spec.data.batch_size, BATCH)
    for epoch in count(1):
        yield from split.shuffled_batches(size, spec.training.seed, epoch, spec.data.augment)
