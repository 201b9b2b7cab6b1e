"""The states of M models as one: weights, moving averages, the optimizers' own tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lenetctl.specs.schema import Spec, TrainingSpec
from lenetctl.training.fleet.net import Dropout, FleetNet, FleetWeights, fleet_losses
from lenetctl.training.fleet.optimizers import FLEET_OPTIMIZERS, FleetOptimizer
from lenetctl.training.state import Tensors, TrainingState


@dataclass(frozen=True, eq=False)
class FleetState:
    """M models that take their steps together."""

    net: FleetNet
    trainings: Sequence[TrainingSpec]
    weights: FleetWeights
    averages: FleetWeights | None  # without the integers among the buffers
    slots: Tensors  # of the optimizers, (M, P) by torch's names; zeros where a model has none

    @classmethod
    def of(cls, models: Sequence[tuple[TrainingState, Spec]]) -> FleetState:
        """Copy the states of `models`; either all have moving averages or none."""
        states, trainings = [state for state, _ in models], [spec.training for _, spec in models]
        net = FleetNet(states[0].net)
        averages = [state.ema for state in states if state.ema is not None]
        return cls(
            net,
            trainings,
            net.stack([state.net.state_dict() for state in states]),
            net.stack(averages) if averages else None,
            {
                name: _stacked_slot(states, name)
                for training in trainings
                for name in _slot_names(training)
            },
        )

    @property
    def optimizer(self) -> FleetOptimizer:
        """The kind of optimizer that all models share."""
        return FLEET_OPTIMIZERS[self.trainings[0].optimizer.kind]

    def coefficients(self, rates: Sequence[float], steps: Sequence[int]) -> list[list[float]]:
        """Return the K numbers that `step` needs of each of the M models, as K lists of M.

        `rates` are the models' learning rates, `steps` the numbers of their steps from 1.
        """
        by_model = [
            (
                training.label_smoothing,
                1 - (training.ema or 0.0),
                *self.optimizer.coefficients(training.optimizer, rate, step),
            )
            for training, rate, step in zip(self.trainings, rates, steps, strict=True)
        ]
        return [list(column) for column in zip(*by_model, strict=True)]

    def step(
        self, images: Tensor, labels: Tensor, coefficients: Tensor, dropout: Dropout
    ) -> tuple[Tensor, Tensor]:
        """Train on images (B, M, 1, 28, 28) and labels (B, M) with `coefficients` (K, M, 1).

        Return mean losses and numbers of right answers, (M,) each, left on the device.
        """
        smoothing, share, *own = coefficients
        parameters = self.weights.parameters.detach().requires_grad_()
        bf16 = self.trainings[0].precision == "bf16"
        with torch.autocast(images.device.type, torch.bfloat16, enabled=bf16):
            logits = self.net.logits(replace(self.weights, parameters=parameters), images, dropout)
            smoothed = any(training.label_smoothing for training in self.trainings)
            loss = fleet_losses(logits, labels, smoothing if smoothed else None)
        (gradients,) = torch.autograd.grad(loss.sum(), parameters)
        with torch.no_grad():
            slots = list(self.slots.values())
            self.optimizer.update(self.weights.parameters, slots, gradients, own)
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

    def subset(self, places: Sequence[int]) -> FleetState:
        """Return a copy of the models at `places`."""
        index = torch.tensor(places, device=self.weights.parameters.device)
        return replace(
            self,
            trainings=[self.trainings[place] for place in places],
            weights=self.weights.subset(index),
            averages=self.averages.subset(index) if self.averages else None,
            slots={name: slot[index] for name, slot in self.slots.items()},
        )

    def copy_to(self, states: Sequence[tuple[TrainingState, int]]) -> None:
        """Copy each model's values into its state; beside it, how many steps were done."""
        weights = self.net.unstack(self.weights)
        averages = self.net.unstack(self.averages) if self.averages else [{}] * len(states)
        slots = {name: list(self.net.named(slot).values()) for name, slot in self.slots.items()}
        for m, (state, steps) in enumerate(states):
            tensors = {f"net.{name}": value for name, value in weights[m].items()}
            tensors |= {f"ema.{name}": value for name, value in averages[m].items()}
            for i, _ in enumerate(state.net.parameters()):
                for name in _slot_names(self.trainings[m]):
                    tensors[f"optimizer.{i}.{name}"] = slots[name][i][m]
                if self.optimizer.counts_steps:
                    tensors[f"optimizer.{i}.step"] = torch.tensor(float(steps))
            state.restore(tensors)


def _slot_names(training: TrainingSpec) -> tuple[str, ...]:
    return FLEET_OPTIMIZERS[training.optimizer.kind].slots(training.optimizer)


def _stacked_slot(states: Sequence[TrainingState], name: str) -> Tensor:
    """Return one tensor of the optimizers, (M, P)."""
    by_model = []
    for state in states:
        kept = state.optimizer.state
        values = [kept.get(p, {}).get(name, torch.zeros_like(p)) for p in state.net.parameters()]
        by_model.append(torch.cat([value.detach().flatten() for value in values]))
    return torch.stack(by_model)
