"""Which learning rates a net stands: L. N. Smith, "Cyclical learning rates" (2017), section 3.3."""

from dataclasses import dataclass, replace
from math import isfinite, log

from lenetctl.data.device import DeviceSplit
from lenetctl.specs.layers import CLASSES
from lenetctl.specs.schema import Spec
from lenetctl.training.diagnostics.layers import balanced_batch, tells_apart
from lenetctl.training.diagnostics.rehearsal import rehearse
from lenetctl.training.diagnostics.short_training import short_training
from lenetctl.training.objective.loss import is_in_nats

LOWEST, HIGHEST, STEPS = 1e-5, 10.0, 150
SMOOTHING = 0.9  # of the losses, as a moving average
_SETTLED = 20  # steps until the average is one
_LOOKS = 10  # steps from one look at what the net answers to the next
_TRIES = 3  # rates that are rehearsed, each a third of the one before


@dataclass(frozen=True)
class RangeTest:
    """Smoothed training losses at rising learning rates, up to where they blew up."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]  # as many as rates
    diverged: bool
    told_apart: bool | None = None  # whether classes ever were, where the loss is not in nats
    failed: int = 0  # higher suggestions, at which a rehearsal stayed at guessing

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
        """Whether the net began to tell classes apart: by its loss, where that is in nats."""
        return min(self.losses) < log(CLASSES) if self.told_apart is None else self.told_apart

    @property
    def suggestion(self) -> float:
        """A rate to train at: a third of that with the lowest loss, as the average lags behind.

        A net whose loss stays at ln 10 in so few steps gets the largest stable rate. A rate that
        failed is divided by three.
        """
        lowest = self.rates[self.losses.index(min(self.losses))]
        on_plateau = self.told_apart is None and not self.left_guessing
        rate = self.largest_stable if on_plateau else lowest / 3
        return float(f"{rate / 3**self.failed:.2g}")


def range_test(spec: Spec, split: DeviceSplit) -> RangeTest:
    """Train the net of `spec` from its initial weights, each step at a higher rate.

    What it suggests has been rehearsed: a rate that some steps stand can spoil the net in more.
    """
    tested = _curve(spec, split)
    for failed in range(_TRIES):
        one = replace(tested, failed=failed)
        if not rehearse(at_rate(spec, one.suggestion), split).stays_at_guessing:
            return one
    return tested


def at_rate(spec: Spec, rate: float) -> Spec:
    """Return the spec with another learning rate."""
    optimizer = spec.training.optimizer.model_copy(update={"lr": rate})
    training = spec.training.model_copy(update={"optimizer": optimizer})
    return spec.model_copy(update={"training": training})


def _curve(spec: Spec, split: DeviceSplit) -> RangeTest:
    rates: list[float] = []
    losses: list[float] = []
    average, diverged = 0.0, False
    told_apart = None if is_in_nats(spec.training) else False
    with short_training(spec, split) as (net, step_at):
        for number in range(STEPS):
            rate = LOWEST * (HIGHEST / LOWEST) ** (number / (STEPS - 1))
            average = SMOOTHING * average + (1 - SMOOTHING) * step_at(rate)
            smoothed = average / (1 - SMOOTHING ** (number + 1))
            if not isfinite(smoothed) or (losses and smoothed > 4 * min(losses)):
                diverged = True
                break
            rates.append(rate)
            losses.append(smoothed)
            if told_apart is False and number % _LOOKS == 0:
                told_apart = tells_apart(net, *balanced_batch(split))
    return RangeTest(tuple(rates), tuple(losses), diverged, told_apart)
