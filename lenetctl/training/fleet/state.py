"""The states of M models as one: weights, moving averages, what the optimizers remember."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lenetctl.specs.schema import Spec, TrainingSpec
from lenetctl.training.fleet.net import Drop, FleetNet, FleetWeights, fleet_losses
from lenetctl.training.fleet.optimizers import FLEET_OPTIMIZERS, FleetOptimizer
from lenetctl.training.state import Tensors, TrainingState


@dataclass(frozen=True, eq=False)
class FleetState:
    """M models that take their steps together."""

    net: FleetNet
    trainings: Sequence[TrainingSpec]
    weights: FleetWeights
    averages: FleetWeights | None  # without the integers among the buffers
    slots: Tensors  # (M, P) by torch's names, zeros where a model's optimizer has no such slot

    @classmethod
    def of(cls, members: Sequence[tuple[TrainingState, Spec]]) -> FleetState:
        """Copy the states; either all have moving averages or none."""
        states, trainings = [s for s, _ in members], [spec.training for _, spec in members]
        net = FleetNet(states[0].net)
        averages = [state.ema for state in states if state.ema is not None]
        return cls(
            net,
            trainings,
            net.stack([state.net.state_dict() for state in states]),
            net.stack(averages) if averages else None,
            {name: _slot(states, name) for one in trainings for name in _slots(one)},
        )

    @property
    def kind(self) -> FleetOptimizer:
        """The kind of all the optimizers."""
        return FLEET_OPTIMIZERS[self.trainings[0].optimizer.kind]

    def coefficients(self, rates: Sequence[float], steps: Sequence[int]) -> list[list[float]]:
        """Return K lists of M numbers for `step`: the models' rates, and their steps from 1."""
        rows = [
            (
                training.label_smoothing,
                1 - (training.ema or 0.0),
                *self.kind.coefficients(training.optimizer, rate, step),
            )
            for training, rate, step in zip(self.trainings, rates, steps, strict=True)
        ]
        return [list(column) for column in zip(*rows, strict=True)]

    def step(
        self, images: Tensor, labels: Tensor, coefficients: Tensor, drop: Drop
    ) -> tuple[Tensor, Tensor]:
        """Train on images (B, M, 1, 28, 28) and labels (B, M) with `coefficients` (K, M, 1).

        Return mean losses and numbers of right answers, (M,) each, left on the device.
        """
        smoothing, share, *own = coefficients
        parameters = self.weights.parameters.detach().requires_grad_()
        bf16 = self.trainings[0].precision == "bf16"
        with torch.autocast(images.device.type, torch.bfloat16, enabled=bf16):
            logits = self.net.logits(replace(self.weights, parameters=parameters), images, drop)
            smoothed = any(training.label_smoothing for training in self.trainings)
            loss = fleet_losses(logits, labels, smoothing if smoothed else None)
        (gradients,) = torch.autograd.grad(loss.sum(), parameters)
        with torch.no_grad():
            self.kind.update(self.weights.parameters, list(self.slots.values()), gradients, own)
            if self.averages:
                self._average(self.averages, share)
            return loss.detach(), (logits.argmax(2) == labels.T).sum(1)

    def served(self) -> FleetWeights:
        """Return what is evaluated: the averages where there are any, else the weights."""
        if self.averages is None:
            return self.weights
        return FleetWeights(self.averages.parameters, self.weights.buffers | self.averages.buffers)

    def _average(self, averages: FleetWeights, share: Tensor) -> None:
        averages.parameters.lerp_(self.weights.parameters, share)
        for name, value in averages.buffers.items():
            value.lerp_(self.weights.buffers[name], share)

    def rows(self, chosen: Sequence[int]) -> FleetState:
        """Return a copy of some of the models."""
        index = torch.tensor(chosen, device=self.weights.parameters.device)
        return replace(
            self,
            trainings=[self.trainings[row] for row in chosen],
            weights=self.weights.rows(index),
            averages=self.averages.rows(index) if self.averages else None,
            slots={name: slot[index] for name, slot in self.slots.items()},
        )

    def write(self, states: Sequence[tuple[TrainingState, int]]) -> None:
        """Give each state the values of its model, after so many steps of its optimizer."""
        weights = self.net.unstack(self.weights)
        averages = self.net.unstack(self.averages) if self.averages else [{}] * len(states)
        slots = {name: list(self.net.named(slot).values()) for name, slot in self.slots.items()}
        for row, (state, steps) in enumerate(states):
            tensors = {f"net.{name}": value for name, value in weights[row].items()}
            tensors |= {f"ema.{name}": value for name, value in averages[row].items()}
            for i, _ in enumerate(state.net.parameters()):
                for name in _slots(self.trainings[row]):
                    tensors[f"optimizer.{i}.{name}"] = slots[name][i][row]
                if self.kind.counts:
                    tensors[f"optimizer.{i}.step"] = torch.tensor(float(steps))
            state.restore(tensors)


def _slots(training: TrainingSpec) -> tuple[str, ...]:
    return FLEET_OPTIMIZERS[training.optimizer.kind].slots(training.optimizer)


def _slot(states: Sequence[TrainingState], name: str) -> Tensor:
    """Return one of the optimizers' slots (M, P)."""
    rows = []
    for state in states:
        kept = state.optimizer.state
        values = [kept.get(p, {}).get(name, torch.zeros_like(p)) for p in state.net.parameters()]
        rows.append(torch.cat([value.detach().flatten() for value in values]))
    return torch.stack(rows)
