"""The optimizer of a spec, and its learning rate as a function of the step."""

from collections.abc import Callable, Iterable
from math import cos, pi
from typing import Any

import torch
from torch import nn

from lenetctl.specs.schema import (
    Adam,
    AdamW,
    Constant,
    Cosine,
    OneCycle,
    Sgd,
    StepDecay,
    TrainingSpec,
)


def _uncompiled(kind: type[torch.optim.Optimizer]) -> type[torch.optim.Optimizer]:
    """Return an optimizer of torch's that does not import torch's compiler.

    Torch has it imported, for a second, by each of these methods, for it to leave them alone.
    """
    names = ("add_param_group", "load_state_dict", "state_dict", "step", "zero_grad")
    bare = {name: getattr(getattr(kind, name), "__wrapped__", None) for name in names}
    methods = {name: method for name, method in bare.items() if method}
    if "step" in methods:
        methods["step"] = torch.no_grad()(methods["step"])
    return type(kind.__name__, (kind,), methods)


OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "sgd": _uncompiled(torch.optim.SGD),
    "adam": _uncompiled(torch.optim.Adam),
    "adamw": _uncompiled(torch.optim.AdamW),
}


def build_optimizer(
    parameters: Iterable[nn.Parameter], config: Sgd | Adam | AdamW
) -> torch.optim.Optimizer:
    """Return torch's optimizer of the kind, with the spec's values."""
    options: dict[str, Any] = config.model_dump(exclude={"kind"})
    return OPTIMIZERS[config.kind](parameters, **options)


def learning_rate(training: TrainingSpec, steps_per_epoch: int) -> Callable[[int], float]:
    """Return the learning rate of each step, counted from 0 over the whole run.

    A pure function of the step: resuming needs no replay.
    """
    lr, schedule = training.optimizer.lr, training.schedule
    total = training.epochs * steps_per_epoch
    if isinstance(schedule, OneCycle):
        return _one_cycle(lr, schedule, total)
    warmup = round(schedule.warmup * steps_per_epoch)

    def at(step: int) -> float:
        if step < warmup:
            return lr * (step + 1) / warmup
        return _after_warmup(lr, schedule, step, warmup, total, steps_per_epoch)

    return at


def _after_warmup(
    lr: float,
    schedule: Constant | StepDecay | Cosine,
    step: int,
    warmup: int,
    total: int,
    epoch: int,
) -> float:
    if isinstance(schedule, Cosine):
        progress = (step - warmup) / max(1, total - warmup)
        return schedule.eta_min + (lr - schedule.eta_min) * (1 + cos(pi * progress)) / 2
    if isinstance(schedule, StepDecay):
        return lr * schedule.gamma ** (step // epoch // schedule.step_size)
    return lr


def _one_cycle(lr: float, schedule: OneCycle, total: int) -> Callable[[int], float]:
    # torch.optim.lr_scheduler.OneCycleLR with cosine annealing, max_lr = lr
    start, end = lr / schedule.div_factor, lr / schedule.div_factor / schedule.final_div_factor
    peak = schedule.pct_start * total - 1  # the step of the highest rate

    def at(step: int) -> float:
        if step < peak:
            low, high, progress = start, lr, step / peak
        else:
            low, high, progress = lr, end, (step - peak) / (total - 1 - peak)
        return high + (low - high) * (1 + cos(pi * progress)) / 2

    return at
