"""A training in few steps: does the loss leave guessing in it, or is it on its way there?"""

from dataclasses import dataclass
from itertools import takewhile
from math import ceil, expm1, inf, isfinite, log
from statistics import fmean

from lenetctl.data.device import DeviceSplit
from lenetctl.specs.schema import Spec
from lenetctl.training.diagnostics.expected_fall import Outlook, look_ahead
from lenetctl.training.diagnostics.layers import balanced_batch, tells_apart
from lenetctl.training.diagnostics.short_training import short_training
from lenetctl.training.metrics import GUESSING
from lenetctl.training.objective.loss import is_in_nats
from lenetctl.training.schedule import learning_rate

STEPS = 150
LAST = 1 / 6  # of the steps: those at the end whose mean loss counts
# Times the needed fall that is to be expected, as it is counted to first order; chosen by
# benchmarks/diagnose.py.
ENOUGH = 3.0
_MOST = 20.0  # logarithm of the growth that is believed


@dataclass(frozen=True)
class Rehearsal:
    """What a net has become after `steps` steps, at learning rates from all `total` steps."""

    steps: int
    total: int
    loss: float  # of the last steps, as training sees it; infinite where it diverged
    halfway: Outlook
    after: Outlook
    told_apart: bool | None = None  # whether classes are, where the loss is not in nats

    @property
    def to_come(self) -> float:
        """By how much the rest of the training is expected to lower the loss, in nats.

        On a plateau, what a step takes off grows or fades by a factor. That of the second half of
        the rehearsal is taken to stay. No loss falls below 0.
        """
        rest, half = self.total - self.steps, self.steps - self.steps // 2
        if not (self.loss < inf and rest and self.halfway.fall and self.after.fall):
            return 0.0
        growth = log(self.after.fall / self.halfway.fall) / half * rest
        growth = min(max(growth, -_MOST), _MOST)
        mean = expm1(growth) / growth if growth else 1.0  # of e^x for x from 0 to growth
        return min(self.after.fall * rest / self.total * mean, self.after.loss)

    @property
    def left_guessing(self) -> bool:
        """Whether the net tells classes apart: by its loss, where that is in nats."""
        return self.loss < GUESSING if self.told_apart is None else self.told_apart

    @property
    def needed(self) -> float:
        """How far the loss is above leaving guessing, in nats; 0 where it has left.

        As long as a net answers all images alike, its biases, which a high rate throws to and fro,
        are no hindrance.
        """
        if self.left_guessing:
            return 0.0
        if self.after.loss > GUESSING:
            return self.after.loss - GUESSING
        return self.loss - GUESSING if self.told_apart is None else 0.0

    @property
    def expected_share(self) -> float:
        """Of the fall that is needed, the share that is expected; infinite where none is needed."""
        return self.to_come / self.needed if self.needed else inf

    @property
    def stays_at_guessing(self) -> bool:
        """Whether the training is expected to end with the loss of guessing, or a higher one."""
        return self.expected_share < ENOUGH


def rehearse(spec: Spec, split: DeviceSplit) -> Rehearsal:
    """Train the net of `spec` for `STEPS` steps, or for all where there are fewer.

    They pass through the whole schedule, so they meet the highest rate of the training.
    """
    per_epoch = -(-len(split) // spec.data.batch_size)
    rate, total = learning_rate(spec.training, per_epoch), per_epoch * spec.training.epochs
    steps = min(STEPS, total)
    rates = [rate(number * total // steps) for number in range(steps)]
    images, labels = balanced_batch(split)
    with short_training(spec, split) as (net, step_at):

        def train(some: list[float]) -> list[float]:
            return list(takewhile(isfinite, map(step_at, some)))

        losses = train(rates[: steps // 2])
        halfway = look_ahead(net, spec, images, labels, per_epoch)
        if len(losses) == steps // 2:
            losses += train(rates[steps // 2 :])
        after = look_ahead(net, spec, images, labels, per_epoch)
    if len(losses) < steps or not isfinite(after.loss):
        return Rehearsal(steps, total, inf, halfway, after)
    told_apart = None if is_in_nats(spec.training) else tells_apart(net, images, labels)
    loss = fmean(losses[-ceil(LAST * steps) :])
    return Rehearsal(steps, total, loss, halfway, after, told_apart)
