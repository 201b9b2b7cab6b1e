"""The optimizers of many nets at once: the formulas of torch.optim on parameters (M, P).

What differs between nets and steps, such as the learning rate and Adam's bias corrections, is
computed beforehand in Python's doubles, as torch does it: a few coefficients for each net and step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from lenetctl.specs.training import Adam, AdamW, Sgd


@dataclass(frozen=True)
class FleetOptimizer:
    """One kind of optimizer."""

    # from a config to the names of the tensors that torch's optimizer keeps
    slots: Callable[[Any], tuple[str, ...]]
    counts_steps: bool  # whether torch's optimizer also keeps its number of steps
    # from a config, the learning rate, and the step counted from 1
    coefficients: Callable[[Any, float, int], tuple[float, ...]]
    # changes parameters and slots (M, P) in place, by gradients (M, P) and coefficients (M, 1)
    update: Callable[[Tensor, Sequence[Tensor], Tensor, Sequence[Tensor]], None]


def _sgd_slots(config: Sgd) -> tuple[str, ...]:
    return ("momentum_buffer",) if config.momentum else ()


def _sgd_coefficients(config: Sgd, lr: float, _: int) -> tuple[float, ...]:
    # Nesterov's step is along gradient + momentum · velocity, any other along the velocity
    along_gradient, along_velocity = (lr, lr * config.momentum) if config.nesterov else (0.0, lr)
    return config.weight_decay, config.momentum, along_gradient, along_velocity


def _sgd(
    parameters: Tensor, slots: Sequence[Tensor], gradients: Tensor, coefficients: Sequence[Tensor]
) -> None:
    weight_decay, momentum, along_gradient, along_velocity = coefficients
    gradients = gradients.addcmul(parameters, weight_decay)
    velocity = slots[0].mul_(momentum).add_(gradients) if slots else gradients
    parameters.addcmul_(velocity, along_velocity, value=-1)
    parameters.addcmul_(gradients, along_gradient, value=-1)


def _adam_slots(_: Adam | AdamW) -> tuple[str, ...]:
    return "exp_avg", "exp_avg_sq"


def _adam_coefficients(config: Adam | AdamW, lr: float, step: int) -> tuple[float, ...]:
    beta1, beta2 = config.betas
    decay = config.weight_decay
    added, factor = (0.0, 1 - lr * decay) if config.kind == "adamw" else (decay, 1.0)
    corrected = lr / (1 - beta1**step), (1 - beta2**step) ** 0.5
    return added, factor, 1 - beta1, beta2, 1 - beta2, config.eps, *corrected


def _adam(
    parameters: Tensor, slots: Sequence[Tensor], gradients: Tensor, coefficients: Sequence[Tensor]
) -> None:
    added, factor, share1, beta2, share2, eps, rate, correction = coefficients
    mean, square = slots
    gradients = gradients.addcmul(parameters, added)
    parameters.mul_(factor)
    mean.lerp_(gradients, share1)
    square.mul_(beta2).addcmul_(gradients * share2, gradients)
    parameters.addcdiv_(mean * rate, square.sqrt().div_(correction).add_(eps), value=-1)


_ADAM = FleetOptimizer(
    _adam_slots, counts_steps=True, coefficients=_adam_coefficients, update=_adam
)
FLEET_OPTIMIZERS: dict[str, FleetOptimizer] = {
    "sgd": FleetOptimizer(
        _sgd_slots, counts_steps=False, coefficients=_sgd_coefficients, update=_sgd
    ),
    "adam": _ADAM,
    "adamw": _ADAM,
}
