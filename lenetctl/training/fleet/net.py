"""Many nets of one architecture as one net: each of its layers does the work of all M.

The feature maps of M nets lie side by side as channels, (B, M·C, H, W). M convolutions are one
grouped convolution there; activations, pools and batch norm work on each channel alone, so they
stay as they are. Behind the flatten layer features are (M, B, F), and M dense layers are one
batched matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d, cross_entropy

from lenetctl.training.state import Tensors, with_prefix

Dropout = Callable[[Tensor], Tensor]  # from features (M, B, F) to what dropout leaves of them


@dataclass(frozen=True, eq=False)
class FleetWeights:
    """The tensors of M nets."""

    parameters: Tensor  # (M, P): row m holds all P numbers of net m, in the order of its layers
    buffers: Tensors  # by name, (M, …)

    def subset(self, index: Tensor) -> FleetWeights:
        """Return a copy of the nets at `index`."""
        buffers = {name: value[index] for name, value in self.buffers.items()}
        return FleetWeights(self.parameters[index], buffers)


class FleetNet:
    """What M nets compute, given their weights."""

    def __init__(self, net: nn.Sequential) -> None:
        """Take the layers of `net`, any of the M: only shapes and settings are read."""
        self._layers = list(net.named_children())
        self._shapes = {name: value.shape for name, value in net.named_parameters()}

    @property
    def has_dropout(self) -> bool:
        """Whether there is a dropout layer."""
        return any(isinstance(layer, nn.Dropout) for _, layer in self._layers)

    def stack(self, nets: Sequence[Tensors]) -> FleetWeights:
        """Return the tensors of M nets as one, copied."""
        flat = [torch.cat([net[name].flatten() for name in self._shapes]) for net in nets]
        buffers = [name for name in nets[0] if name not in self._shapes]
        return FleetWeights(
            torch.stack(flat), {n: torch.stack([net[n] for net in nets]) for n in buffers}
        )

    def unstack(self, weights: FleetWeights) -> list[Tensors]:
        """Return the tensors of each net, as views."""
        tensors = self.named(weights.parameters) | weights.buffers
        models = len(weights.parameters)
        return [{name: value[m] for name, value in tensors.items()} for m in range(models)]

    def named(self, parameters: Tensor) -> Tensors:
        """Return views of parameters (M, P) by name, (M, …)."""
        parts = torch.split(parameters, [prod(shape) for shape in self._shapes.values()], dim=1)
        named = zip(self._shapes.items(), parts, strict=True)
        return {name: part.view(-1, *shape) for (name, shape), part in named}

    def logits(
        self, weights: FleetWeights, images: Tensor, dropout: Dropout | None = None
    ) -> Tensor:
        """Return the logits (M, B, 10) of images (B, M, 1, 28, 28).

        With `dropout` the nets are in training: batch norm uses the statistics of the batch and
        updates its running ones in place.
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
                    x = _normalised(x, layer, own, training=dropout is not None)
                case nn.Flatten():
                    x = x.reshape(len(x), models, -1).transpose(0, 1)
                case nn.Dropout():
                    x = dropout(x) if dropout else x
                case nn.Linear():
                    x = torch.baddbmm(own["bias"].unsqueeze(1), x, own["weight"].mT)
                case _:  # an activation or a pool: `fleet_refusal` lets nothing else in
                    x = layer(x)
        return x


def _normalised(x: Tensor, layer: nn.BatchNorm2d, own: Tensors, *, training: bool) -> Tensor:
    if training:
        own["num_batches_tracked"] += 1
    mean, var = own["running_mean"].view(-1), own["running_var"].view(-1)  # changed in place
    # contiguous, because torch's backward pass reads a scale of other strides wrongly
    scale, shift = (own[name].flatten().contiguous() for name in ("weight", "bias"))
    assert layer.momentum is not None  # noqa: S101
    return batch_norm(x, mean, var, scale, shift, training, layer.momentum, layer.eps)


def fleet_losses(logits: Tensor, labels: Tensor, smoothing: Tensor | None = None) -> Tensor:
    """Return the mean cross-entropy (M,) of logits (M, B, 10) and labels (B, M).

    `smoothing` (M, 1) is the share of a net's target that is spread over all classes.
    """
    flat, truth = logits.flatten(0, 1), labels.T.flatten()
    loss = cross_entropy(flat, truth, reduction="none").view_as(labels.T)
    if smoothing is not None:
        spread = cross_entropy(flat, truth, reduction="none", label_smoothing=1.0)
        loss = loss.lerp(spread.view_as(loss), smoothing)
    return loss.mean(1)
