"""Many nets of one architecture as one, whose every layer does the work of all of them.

The maps of M nets lie side by side as channels, (B, M·C, H, W): M convolutions are one grouped
convolution, while activations, pools and batch norm work channel by channel as they are. From the
flatten layer on they are (M, B, features), and M dense layers are one batched matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d, cross_entropy

from lenetctl.training.state import Tensors, with_prefix

Drop = Callable[[Tensor], Tensor]  # (M, B, features) to what dropout leaves of them


@dataclass(frozen=True, eq=False)
class FleetWeights:
    """The tensors of M nets."""

    parameters: Tensor  # (M, P): those of a net one after another, in the order of its layers
    buffers: Tensors  # by name, (M, …)

    def rows(self, index: Tensor) -> FleetWeights:
        """Return a copy of some of the nets."""
        buffers = {name: value[index] for name, value in self.buffers.items()}
        return FleetWeights(self.parameters[index], buffers)


class FleetNet:
    """What M nets compute, given their weights."""

    def __init__(self, net: nn.Sequential) -> None:
        """Take the layers of `net`, one of those that are stacked."""
        self._layers = list(net.named_children())
        self._shapes = {name: value.shape for name, value in net.named_parameters()}

    @property
    def drops(self) -> bool:
        """Whether there is a dropout layer."""
        return any(isinstance(layer, nn.Dropout) for _, layer in self._layers)

    def stack(self, nets: Sequence[Tensors]) -> FleetWeights:
        """Return a copy of the tensors of M nets."""
        flat = [torch.cat([net[name].flatten() for name in self._shapes]) for net in nets]
        others = [name for name in nets[0] if name not in self._shapes]
        return FleetWeights(
            torch.stack(flat), {n: torch.stack([net[n] for net in nets]) for n in others}
        )

    def unstack(self, weights: FleetWeights) -> list[Tensors]:
        """Return the tensors of each net, as views."""
        tensors = self.named(weights.parameters) | weights.buffers
        models = len(weights.parameters)
        return [{name: value[row] for name, value in tensors.items()} for row in range(models)]

    def named(self, parameters: Tensor) -> Tensors:
        """Return views of parameters (M, P) by name, (M, …)."""
        parts = torch.split(parameters, [prod(shape) for shape in self._shapes.values()], dim=1)
        named = zip(self._shapes.items(), parts, strict=True)
        return {name: part.view(-1, *shape) for (name, shape), part in named}

    def logits(self, weights: FleetWeights, images: Tensor, drop: Drop | None = None) -> Tensor:
        """Return the logits (M, B, 10) of images (B, M, 1, 28, 28).

        With `drop` the nets are in training: batch norm goes by the batch and moves its running
        statistics along, in place.
        """
        tensors = self.named(weights.parameters) | weights.buffers
        models = len(weights.parameters)
        x = images.flatten(1, 2)
        for name, layer in self._layers:
            own = with_prefix(f"{name}.", tensors)
            match layer:
                case nn.Conv2d():
                    bias = own["bias"].flatten() if "bias" in own else None
                    kernels = own["weight"].flatten(0, 1)
                    x = conv2d(x, kernels, bias, layer.stride, layer.padding, groups=models)
                case nn.BatchNorm2d():
                    x = _normalised(x, layer, own, training=drop is not None)
                case nn.Flatten():
                    x = x.reshape(len(x), models, -1).transpose(0, 1)
                case nn.Dropout():
                    x = drop(x) if drop else x
                case nn.Linear():
                    x = torch.baddbmm(own["bias"].unsqueeze(1), x, own["weight"].mT)
                case _:
                    x = layer(x)
        return x


def _normalised(x: Tensor, layer: nn.BatchNorm2d, own: Tensors, *, training: bool) -> Tensor:
    if training:
        own["num_batches_tracked"] += 1
    mean, var = own["running_mean"].view(-1), own["running_var"].view(-1)  # changed in place
    scale, shift = own["weight"].flatten(), own["bias"].flatten()
    assert layer.momentum is not None  # noqa: S101
    return batch_norm(x, mean, var, scale, shift, training, layer.momentum, layer.eps)


def fleet_losses(logits: Tensor, labels: Tensor, smoothing: Tensor | None = None) -> Tensor:
    """Return the mean cross-entropy (M,) of logits (M, B, 10) and labels (B, M).

    `smoothing` (M, 1) is the part of the weight that a net's loss gives to all classes alike.
    """
    flat, truth = logits.flatten(0, 1), labels.T.flatten()
    loss = cross_entropy(flat, truth, reduction="none").view_as(labels.T)
    if smoothing is not None:
        alike = cross_entropy(flat, truth, reduction="none", label_smoothing=1.0)
        loss = loss.lerp(alike.view_as(loss), smoothing)
    return loss.mean(1)
