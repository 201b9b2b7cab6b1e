"""The optimizers of many nets at once: the formulas of torch.optim on parameters (M, P).

What differs between nets and steps, from the learning rate to Adam's corrections, is worked out
beforehand in Python's doubles, as torch does it: a few coefficients for each net and step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from lenetctl.specs.schema import Adam, AdamW, Sgd


@dataclass(frozen=True)
class FleetOptimizer:
    """One kind of optimizer."""

    slots: Callable[[Any], tuple[str, ...]]  # the tensors that torch's optimizer keeps, by config
    counts: bool  # whether torch's optimizer keeps its number of steps, too
    # of a config, the learning rate, and the step counted from 1
    coefficients: Callable[[Any, float, int], tuple[float, ...]]
    # changes parameters and slots in place, by gradients (all M, P) and coefficients (M, 1)
    update: Callable[[Tensor, Sequence[Tensor], Tensor, Sequence[Tensor]], None]


def _sgd_slots(config: Sgd) -> tuple[str, ...]:
    return ("momentum_buffer",) if config.momentum else ()


def _sgd_coefficients(config: Sgd, lr: float, _: int) -> tuple[float, ...]:
    # nesterov goes by gradient + momentum · velocity, the others by the velocity
    along_gradient, along_velocity = (lr, lr * config.momentum) if config.nesterov else (0.0, lr)
    return config.weight_decay, config.momentum, along_gradient, along_velocity


def _sgd(
    parameters: Tensor, slots: Sequence[Tensor], gradients: Tensor, row: Sequence[Tensor]
) -> None:
    weight_decay, momentum, along_gradient, along_velocity = row
    gradients = gradients.addcmul(parameters, weight_decay)
    velocity = slots[0].mul_(momentum).add_(gradients) if slots else gradients
    parameters.addcmul_(velocity, along_velocity, value=-1)
    parameters.addcmul_(gradients, along_gradient, value=-1)


def _adam_slots(_: Adam | AdamW) -> tuple[str, ...]:
    return "exp_avg", "exp_avg_sq"


def _adam_coefficients(config: Adam | AdamW, lr: float, step: int) -> tuple[float, ...]:
    one, two = config.betas
    decay = config.weight_decay
    added, shrunk = (0.0, 1 - lr * decay) if config.kind == "adamw" else (decay, 1.0)
    corrected = lr / (1 - one**step), (1 - two**step) ** 0.5
    return added, shrunk, 1 - one, two, 1 - two, config.eps, *corrected


def _adam(
    parameters: Tensor, slots: Sequence[Tensor], gradients: Tensor, row: Sequence[Tensor]
) -> None:
    added, shrunk, one, two, rest, eps, rate, correction = row
    mean, square = slots
    gradients = gradients.addcmul(parameters, added)
    parameters.mul_(shrunk)
    mean.lerp_(gradients, one)
    square.mul_(two).addcmul_(gradients * rest, gradients)
    parameters.addcdiv_(mean * rate, square.sqrt().div_(correction).add_(eps), value=-1)


_ADAM = FleetOptimizer(_adam_slots, counts=True, coefficients=_adam_coefficients, update=_adam)
FLEET_OPTIMIZERS: dict[str, FleetOptimizer] = {
    "sgd": FleetOptimizer(_sgd_slots, counts=False, coefficients=_sgd_coefficients, update=_sgd),
    "adam": _ADAM,
    "adamw": _ADAM,
}
