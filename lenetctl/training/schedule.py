"""The learning rate of a run as a pure function of the step: resuming needs no replay."""

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi
from typing import Any

from lenetctl.specs.training import (
    ByEpoch,
    Constant,
    Cosine,
    OneCycle,
    StepDecay,
    TrainingSpec,
)


@dataclass(frozen=True)
class Span:
    """What a schedule fills: the highest learning rate, and lengths in steps."""

    lr: float
    epoch: int
    warmup: int
    total: int


def learning_rate(training: TrainingSpec, steps_per_epoch: int) -> Callable[[int], float]:
    """Return the learning rate of each step, counted from 0 over the whole run."""
    schedule = training.schedule
    warmup = 0.0 if isinstance(schedule, OneCycle | ByEpoch) else schedule.warmup  # epochs
    span = Span(
        lr=training.optimizer.lr,
        epoch=steps_per_epoch,
        warmup=round(warmup * steps_per_epoch),
        total=training.epochs * steps_per_epoch,
    )
    after_warmup = SCHEDULES[schedule.kind]

    def rate(step: int) -> float:
        if step < span.warmup:
            return span.lr * (step + 1) / span.warmup
        return after_warmup(schedule, span, step)

    return rate


def _constant(_: Constant, span: Span, __: int) -> float:
    return span.lr


def _step_decay(schedule: StepDecay, span: Span, step: int) -> float:
    return span.lr * schedule.gamma ** (step // span.epoch // schedule.step_size)


def _by_epoch(schedule: ByEpoch, span: Span, step: int) -> float:
    return span.lr * schedule.factors[min(step // span.epoch, len(schedule.factors) - 1)]


def _cosine(schedule: Cosine, span: Span, step: int) -> float:
    progress = (step - span.warmup) / max(1, span.total - span.warmup)
    return schedule.eta_min + (span.lr - schedule.eta_min) * (1 + cos(pi * progress)) / 2


def _one_cycle(schedule: OneCycle, span: Span, step: int) -> float:
    # torch.optim.lr_scheduler.OneCycleLR with cosine annealing, max_lr = lr
    first = span.lr / schedule.div_factor
    last = first / schedule.final_div_factor
    peak = schedule.pct_start * span.total - 1  # the step of the highest rate
    if step < peak:
        start, end, progress = first, span.lr, step / peak
    else:
        start, end, progress = span.lr, last, (step - peak) / (span.total - 1 - peak)
    return end + (start - end) * (1 + cos(pi * progress)) / 2


# of the schedule, its span, and the step from 0
SCHEDULES: dict[str, Callable[[Any, Span, int], float]] = {
    "constant": _constant,
    "step": _step_decay,
    "cosine": _cosine,
    "one_cycle": _one_cycle,
    "by_epoch": _by_epoch,
}
