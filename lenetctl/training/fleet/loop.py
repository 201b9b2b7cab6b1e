"""Many models of one architecture trained at once: a generator over their epochs.

Each is trained as it would be alone: with its own weights, optimizer, learning rate, order of
images, random draws, count of epochs, and end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from lenetctl.data.device import DeviceSplit, stream_seed
from lenetctl.errors import DivergedError
from lenetctl.specs.layers import CLASSES
from lenetctl.specs.schema import Spec
from lenetctl.training.cuda_graph import GraphedFunction
from lenetctl.training.evaluate import BATCH, Evaluation
from lenetctl.training.fleet.dropout import FleetDropout
from lenetctl.training.fleet.state import FleetState
from lenetctl.training.loop import EpochMeans, EpochResult, Splits, finish_epoch, is_over
from lenetctl.training.schedule import learning_rate
from lenetctl.training.state import TrainingState

EpochOutcome = EpochResult | DivergedError
Member = tuple[TrainingState, Spec]
# images, labels, coefficients and what drops features, as `Stack.step` takes them
FleetStep = Callable[[Tensor, Tensor, Tensor, FleetDropout], tuple[Tensor, ...]]


def train_fleet(members: Mapping[int, Member], splits: Splits) -> Iterator[dict[int, EpochOutcome]]:
    """Train states by their specs, yielding after every epoch what came of each.

    As with `train`, the states are moved along by then. A model that diverged, stopped early or
    did its last epoch takes no further part, nor does one that is taken out of `members`
    meanwhile. No host synchronisation inside an epoch.

    Args:
        members: states on the device of `splits`, with specs of one `kin`.
        splits: the data of all.

    """
    going = [n for n, member in members.items() if not is_over(*member)]
    stack = FleetState.of([members[n] for n in going]) if going else None
    while stack:
        step, size = _step(stack), len(going)
        while len(going) == size:
            outcomes = _epoch(stack, step, [members[n] for n in going], splits)
            yield dict(zip(going, outcomes, strict=True))
            rows = [
                row
                for row, (n, outcome) in enumerate(zip(going, outcomes, strict=True))
                if n in members and isinstance(outcome, EpochResult) and not is_over(*members[n])
            ]
            going = [going[row] for row in rows]
        stack = stack.rows(rows) if rows else None


def _step(stack: FleetState) -> FleetStep:
    """Return `stack.step`, on CUDA as one graph.

    Not with dropout: a graph cannot give the generator from model to model.
    """
    if not _on_cuda(stack) or stack.net.drops:
        return stack.step
    graphed = GraphedFunction(partial(stack.step, drop=lambda features: features))
    return lambda images, labels, row, _: graphed(images, labels, row)


def _on_cuda(stack: FleetState) -> bool:
    return stack.weights.parameters.is_cuda


def _epoch(
    stack: FleetState, step: FleetStep, members: Sequence[Member], splits: Splits
) -> list[EpochOutcome]:
    started = time.perf_counter()
    trained = _train(stack, step, members, splits)
    ended = time.perf_counter()
    evaluations = evaluate_fleet(stack, splits.watched[1])
    steps = splits.steps(members[0][1])
    stack.write([(state, (state.epoch + 1) * steps) for state, _ in members])
    outcomes: list[EpochOutcome] = []
    for (state, spec), means, evaluation in zip(members, trained, evaluations, strict=True):
        try:
            epoch = EpochMeans(*means, started, ended)
            outcomes.append(finish_epoch(state, spec, splits, epoch, evaluation))
        except DivergedError as error:
            outcomes.append(error)
    return outcomes


def _train(
    stack: FleetState, step: FleetStep, members: Sequence[Member], splits: Splits
) -> list[tuple[float, float]]:
    """Train for one epoch; return each model's mean loss and accuracy."""
    split, (_, common) = splits.train, members[0]
    device = split.labels.device
    streams = [(spec.training.seed, state.epoch + 1) for state, spec in members]
    coefficients = _coefficients(stack, members, splits.steps(common)).to(device)
    drop = FleetDropout(
        [stream_seed("dropout", *stream) for stream in streams],
        [spec.model.dropout for _, spec in members],
        device,
    )
    sums = torch.zeros(2, len(members), device=device)  # losses, right answers
    batches = split.side_by_side(common.data.batch_size, streams, common.data.augment)
    for (images, labels), row in zip(batches, coefficients, strict=True):
        loss, right = step(images, labels, row, drop)
        sums[0] += loss * len(labels)
        sums[1] += right
    losses, rights = (sums.cpu().double() / len(split)).tolist()
    return list(zip(losses, rights, strict=True))


def _coefficients(stack: FleetState, members: Sequence[Member], steps: int) -> Tensor:
    """Return what `Stack.step` takes for each step of an epoch, (S, K, M, 1)."""
    rates = [learning_rate(spec.training, steps) for _, spec in members]
    begun = [state.epoch * steps for state, _ in members]
    table = [
        stack.coefficients(
            [rate(first + step) for rate, first in zip(rates, begun, strict=True)],
            [first + step + 1 for first in begun],
        )
        for step in range(steps)
    ]
    return torch.tensor(table, dtype=stack.weights.parameters.dtype).unsqueeze(-1)


@torch.inference_mode()
def evaluate_fleet(stack: FleetState, split: DeviceSplit) -> list[Evaluation]:
    """Return loss and confusion of each model on `split`, with its averages where it has any."""
    weights = stack.served()
    models, device = len(weights.parameters), split.labels.device
    loss = torch.zeros(models, device=device)
    confusion = torch.zeros(models * CLASSES**2, dtype=torch.int64, device=device)
    one = torch.ones((), dtype=torch.int64, device=device)
    first = torch.arange(models, device=device).unsqueeze(1) * CLASSES**2
    for images, labels in split.in_order(BATCH):
        logits = stack.net.logits(weights, images.unsqueeze(1).expand(-1, models, -1, -1, -1))
        truth = labels.expand(models, -1)
        each = cross_entropy(logits.flatten(0, 1), truth.flatten(), reduction="none")
        loss += each.view_as(truth).sum(1)
        pairs = (first + truth * CLASSES + logits.argmax(2)).flatten()
        confusion.scatter_add_(0, pairs, one.expand_as(pairs))
    means = (loss.cpu() / len(split)).tolist()
    counts = confusion.view(models, CLASSES, CLASSES).cpu().numpy()
    return [Evaluation(mean, count) for mean, count in zip(means, counts, strict=True)]
