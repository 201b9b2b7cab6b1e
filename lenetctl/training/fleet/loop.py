"""Many models of one architecture trained at once: a generator over their epochs.

Each model is trained as it would be alone: with its own weights, optimizer, learning rate, order of
images, random draws, number of epochs and end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from lenetctl.data.device import DeviceDataset, stream_seed
from lenetctl.errors import DivergedError
from lenetctl.specs.schema import Spec
from lenetctl.training.fleet.dropout import FleetDropout
from lenetctl.training.fleet.evaluate import evaluate_fleet
from lenetctl.training.fleet.state import FleetState
from lenetctl.training.fleet.steps import FleetStep, fleet_step
from lenetctl.training.loop import EpochMeans, finish_epoch, is_over
from lenetctl.training.meter import CompensatedSum
from lenetctl.training.metrics import EpochResult
from lenetctl.training.schedule import learning_rate
from lenetctl.training.state import TrainingState

FleetModel = tuple[TrainingState, Spec]
EpochOutcome = EpochResult | DivergedError


def train_fleet(
    models: Mapping[int, FleetModel],
    splits: DeviceDataset,
    build_step: Callable[[FleetState], FleetStep] = fleet_step,
) -> Iterator[dict[int, EpochOutcome]]:
    """Train each state by its spec, yielding after every epoch the outcome of each model.

    The states are changed in place. A model leaves the fleet when it has diverged, stopped early or
    done its last epoch, or when the caller takes it out of `models`. The host never waits for the
    device inside an epoch.

    Args:
        models: states on the device of `splits`, and specs that have the same `fleet_key`.
        splits: the data of all models.
        build_step: returns how a step is run; called again whenever the fleet becomes smaller.

    """
    active = [n for n, model in models.items() if not is_over(*model)]
    fleet = FleetState.of([models[n] for n in active]) if active else None
    while fleet:
        step, size = build_step(fleet), len(active)
        while len(active) == size:
            outcomes = _epoch(fleet, step, [models[n] for n in active], splits)
            yield dict(zip(active, outcomes, strict=True))
            staying = [
                place
                for place, (n, outcome) in enumerate(zip(active, outcomes, strict=True))
                if n in models and isinstance(outcome, EpochResult) and not is_over(*models[n])
            ]
            active = [active[place] for place in staying]
        fleet = fleet.subset(staying) if staying else None


def _epoch(
    fleet: FleetState, step: FleetStep, models: Sequence[FleetModel], splits: DeviceDataset
) -> list[EpochOutcome]:
    started = time.perf_counter()
    trained = _train(fleet, step, models, splits)
    ended = time.perf_counter()
    evaluations = evaluate_fleet(fleet, splits.watched[1])
    steps = splits.steps_per_epoch(models[0][1].data.batch_size)
    fleet.copy_to([(state, (state.epoch + 1) * steps) for state, _ in models])
    outcomes: list[EpochOutcome] = []
    for (state, spec), means, evaluation in zip(models, trained, evaluations, strict=True):
        try:
            epoch = EpochMeans(*means, started, ended)
            outcomes.append(finish_epoch(state, spec, splits, epoch, evaluation))
        except DivergedError as error:
            outcomes.append(error)
    return outcomes


def _train(
    fleet: FleetState, step: FleetStep, models: Sequence[FleetModel], splits: DeviceDataset
) -> list[tuple[float, float]]:
    """Train for one epoch; return each model's mean loss and accuracy."""
    split, (_, common) = splits.train, models[0]
    device = split.labels.device
    streams = [(spec.training.seed, state.epoch + 1) for state, spec in models]
    by_step = _coefficients(fleet, models, splits.steps_per_epoch(common.data.batch_size)).to(
        device
    )
    dropout = FleetDropout(
        [stream_seed("dropout", *stream) for stream in streams],
        [spec.model.dropout for _, spec in models],
        device,
    )
    sums = CompensatedSum(2, len(models), device=device)  # losses, right answers
    batches = split.fleet_batches(common.data.batch_size, streams, common.data.augment)
    for (images, labels), coefficients in zip(batches, by_step, strict=True):
        loss, right = step(images, labels, coefficients, dropout)
        sums.add(torch.stack((loss * len(labels), right)))
    losses, rights = (sums.value.cpu().double() / len(split)).tolist()
    return list(zip(losses, rights, strict=True))


def _coefficients(fleet: FleetState, models: Sequence[FleetModel], steps: int) -> Tensor:
    """Return what `FleetState.step` takes for each of the S steps of an epoch, (S, K, M, 1)."""
    rates = [learning_rate(spec.training, steps) for _, spec in models]
    done = [state.epoch * steps for state, _ in models]
    table = [
        fleet.coefficients(
            [rate(before + step) for rate, before in zip(rates, done, strict=True)],
            [before + step + 1 for before in done],
        )
        for step in range(steps)
    ]
    return torch.tensor(table, dtype=fleet.weights.parameters.dtype).unsqueeze(-1)
