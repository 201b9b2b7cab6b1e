"""The state of a run between two epochs, to tensors and a few numbers and back."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from lenetctl.errors import CheckpointError
from lenetctl.model.build import build_model
from lenetctl.specs.schema import Spec
from lenetctl.training.optimizers import build_optimizer

Tensors = dict[str, Tensor]


@dataclass
class TrainingState:
    """A net in training: all that the next epoch depends on, beside the spec and the data."""

    net: nn.Sequential
    optimizer: torch.optim.Optimizer
    ema: Tensors | None  # moving averages of the net's floating-point tensors, by name
    epoch: int = 0  # number of epochs done
    best_epoch: int = 0
    best_accuracy: float = field(default=-1.0)
    forward: Callable[[Tensor], Tensor] | None = None  # how an engine evaluates the net

    def tensors(self) -> Tensors:
        """Return all tensors of the state by unique names."""
        tensors = {f"net.{name}": value for name, value in self.net.state_dict().items()}
        tensors |= {f"ema.{name}": value for name, value in (self.ema or {}).items()}
        for index, slots in self.optimizer.state_dict()["state"].items():
            values = {slot: v for slot, v in slots.items() if isinstance(v, Tensor)}
            tensors |= {f"optimizer.{index}.{slot}": value for slot, value in values.items()}
        return tensors

    def restore(self, tensors: Tensors) -> None:
        """Take over `tensors`, as `tensors()` returned them.

        Raises:
            CheckpointError: they belong to another net.

        """
        copy_weights(self.net, with_prefix("net.", tensors))
        if self.ema is not None:
            averages = with_prefix("ema.", tensors)
            check_same_shapes(self.ema, averages)
            for name, value in self.ema.items():
                value.copy_(averages[name])
        slots: dict[int, Tensors] = {}
        for index, parameter in enumerate(self.net.parameters()):
            held = with_prefix(f"optimizer.{index}.", tensors)
            scalar = torch.zeros(())
            check_same_shapes(
                {slot: scalar if slot == "step" else parameter for slot in held}, held
            )
            # a copy, because the optimizer changes in place the tensors that it is given
            slots[index] = {slot: value.clone() for slot, value in held.items()}
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": slots, "param_groups": groups})

    def weights(self) -> Tensors:
        """Return what is evaluated and served: the averages where there are any, else the net."""
        return {**self.net.state_dict(), **(self.ema or {})}


def initial_net(spec: Spec, device: torch.device | str) -> nn.Sequential:
    """Return the net before the first epoch, on the device."""
    net = build_model(spec.model, spec.training.seed).to(device)
    return net.to(memory_format=torch.channels_last)  # 1.15 times the default's speed on a CPU


def initial_state(spec: Spec, device: torch.device) -> TrainingState:
    """Return the state before the first epoch."""
    net = initial_net(spec, device)
    averages = {
        name: value.detach().clone()
        for name, value in net.state_dict().items()
        if value.is_floating_point()
    }
    return TrainingState(
        net,
        build_optimizer(net.parameters(), spec.training.optimizer),
        averages if spec.training.ema else None,
    )


def with_prefix(prefix: str, tensors: Tensors) -> Tensors:
    """Return the tensors whose names begin with `prefix`, without it."""
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def copy_weights(net: nn.Module, weights: Tensors) -> None:
    """Copy `weights` into `net`.

    Raises:
        CheckpointError: names or shapes differ; the message lists them.

    """
    check_same_shapes(net.state_dict(), weights)
    net.load_state_dict(weights)


def check_same_shapes(expected: Tensors, found: Tensors) -> None:
    """Raise a CheckpointError that lists how `found` differs in names and shapes."""

    def shape(tensors: Tensors, name: str) -> str:
        return "×".join(map(str, tensors[name].shape)) or "scalar" if name in tensors else "none"

    differences = [
        f"{name} is {shape(found, name)}, expected {shape(expected, name)}"
        for name in sorted(expected.keys() | found.keys())
        if shape(found, name) != shape(expected, name)
    ]
    if differences:
        raise CheckpointError(f"the weights are of another net: {'; '.join(differences[:8])}")
