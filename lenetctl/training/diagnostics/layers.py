"""What each layer with weights does with a batch: its activations, its gradient, its update."""

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lenetctl.data.device import Batch, DeviceSplit
from lenetctl.model.build import ACTIVATIONS
from lenetctl.model.modules import WEIGHTED
from lenetctl.specs.schema import TrainingSpec
from lenetctl.training.metrics import GUESSING_ACCURACY
from lenetctl.training.objective.curvature import measure_on, slopes
from lenetctl.training.objective.loss import mean_loss

SATURATED = 1 / 5  # of an activation function's greatest slope
PER_CLASS = 50  # images to measure with
RANKED = 200  # images whose representation the effective rank is of


@dataclass(frozen=True)
class LayerStatistics:
    """One layer with weights; its activations are those after norm and activation function."""

    name: str
    activation_mean: float
    activation_std: float
    saturated: float  # share of activations where the slope is under a fifth of the greatest
    dead: float  # share of channels or neurons that are saturated for every image
    dead_units: tuple[int, ...]  # which ones, counted from 0
    gradient_norm: float  # of the loss, by the weights
    gradient_ratio: float  # of that to the last layer's; 0 where that is 0
    update_ratio: float  # norm of what a step of the optimizer adds, by the norm of the weights
    effective_rank: float  # Roy and Vetterli, "The effective rank" (2007)


@dataclass
class _Block:
    """A layer with weights, and what becomes of its output until the next one or a pool."""

    name: str
    weight: Tensor
    output: Tensor
    activation: nn.Module | None = None
    activated: Tensor | None = None  # what the activation function is applied to


def expendable_copy(net: nn.Sequential) -> nn.Sequential:
    """Return a copy of `net` as it is in training, but without dropout: nothing is drawn."""
    copy = deepcopy(net).train()
    for module in copy:
        if isinstance(module, nn.Dropout):
            module.eval()
    return copy


def balanced_batch(split: DeviceSplit, per_class: int = PER_CLASS) -> Batch:
    """Return the first images of each class, in the stored order, and their labels."""
    classes = torch.unique(split.labels).tolist()
    chosen = torch.cat([(split.labels == one).nonzero()[:per_class, 0] for one in classes])
    return split[chosen]


@torch.no_grad()
def tells_apart(net: nn.Sequential, images: Tensor, labels: Tensor) -> bool:
    """Return whether `net` is right about more of a balanced batch than by guessing."""
    right = expendable_copy(net)(images).argmax(1) == labels
    return float(right.float().mean()) >= GUESSING_ACCURACY


def measure_layers(
    net: nn.Sequential,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    training: TrainingSpec,
) -> list[LayerStatistics]:
    """Return the statistics of every layer with weights, the first one first.

    Args:
        net: an expendable copy: the optimizer takes a step.
        optimizer: of the copy's parameters, at the learning rate that is asked about.
        images: (N, 1, 28, 28), normalised, on the net's device.
        labels: (N,).
        training: its loss.

    """
    measure_on(optimizer, net, training, images, labels)
    blocks, logits = _forward(net, images)
    loss = training.devices * mean_loss(training)(logits, labels)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    before = [block.weight.detach().clone() for block in blocks]
    gradients = [_norm(block.weight.grad) for block in blocks]
    optimizer.step()
    return [
        _statistics(block, weight, gradient, gradients[-1])
        for block, weight, gradient in zip(blocks, before, gradients, strict=True)
    ]


def effective_rank(features: Tensor) -> float:
    """Return the effective rank of features (N, D) around their mean.

    It is e to the entropy of the singular values, as shares of their sum; 0 where all features are
    alike, or some are not finite.
    """
    centred = (features - features.mean(0)).double()
    if not centred.isfinite().all():
        return 0.0
    values = torch.linalg.eigvalsh(centred @ centred.T).clamp(min=0).sqrt()
    total = values.sum()
    if total == 0:
        return 0.0
    shares = values / total
    return float((-torch.xlogy(shares, shares).sum()).exp())


def _forward(net: nn.Sequential, images: Tensor) -> tuple[list[_Block], Tensor]:
    blocks: list[_Block] = []
    value = images
    for name, module in net.named_children():
        before, value = value, module(value)
        if isinstance(module, WEIGHTED):
            blocks.append(_Block(name, module.weight, value))
        elif isinstance(module, nn.BatchNorm2d):
            blocks[-1].output = value
        elif type(module) in ACTIVATIONS.values():
            blocks[-1].output, blocks[-1].activation, blocks[-1].activated = value, module, before
    return blocks, value


def _statistics(
    block: _Block, weight: Tensor, gradient: float, last_gradient: float
) -> LayerStatistics:
    output = block.output.detach()
    saturated = _saturated(block)
    dead = saturated.transpose(0, 1).flatten(1).all(1)
    return LayerStatistics(
        name=block.name,
        activation_mean=float(output.mean()),
        activation_std=float(output.std()),
        saturated=float(saturated.float().mean()),
        dead=float(dead.float().mean()),
        dead_units=tuple(dead.nonzero()[:, 0].tolist()),
        gradient_norm=gradient,
        gradient_ratio=gradient / last_gradient if last_gradient else 0.0,
        update_ratio=_norm(block.weight.detach() - weight) / (_norm(weight) or 1.0),
        effective_rank=effective_rank(output[:RANKED].flatten(1)),
    )


def _saturated(block: _Block) -> Tensor:
    """Return where a block's output is saturated, in its shape; nowhere without a function."""
    if block.activation is None or block.activated is None:
        return torch.zeros_like(block.output, dtype=torch.bool)
    around_zero = torch.linspace(-8, 8, 1601, device=block.output.device)
    greatest = slopes(block.activation, around_zero).abs().max()
    return slopes(block.activation, block.activated).abs() < SATURATED * greatest


def _norm(values: Tensor | None) -> float:
    return 0.0 if values is None else float(torch.linalg.vector_norm(values.detach()))
