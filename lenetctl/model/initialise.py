"""Starting weights and biases, by their names in the literature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from lenetctl.model.modules import WEIGHTED, Convolution, Subsampling

if TYPE_CHECKING:
    from lenetctl.specs.schema import ModelSpec


def _as_built(values: Tensor) -> None:
    """Leave `values` as the module's own constructor filled them."""


def _lecun(weight: Tensor) -> None:
    # Gaussian with std 1/√fan_in (LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998)
    nn.init.normal_(weight, std=1 / sqrt(weight[0].numel()))


def _fan_in_uniform(weight: Tensor) -> None:
    # LeCun et al., "Gradient-based learning applied to document recognition" (1998)
    bound = 2.4 / weight[0].numel()
    nn.init.uniform_(weight, -bound, bound)


def _kaiming_uniform(weight: Tensor) -> None:
    nn.init.kaiming_uniform_(weight, nonlinearity="relu")


def _kaiming_normal(weight: Tensor) -> None:
    # std √(2/fan_in) (He et al., 2015), which is DJL's default too
    nn.init.kaiming_normal_(weight, nonlinearity="relu")


# each fills a tensor in place
WEIGHTS: dict[str, Callable[[Tensor], object]] = {
    "xavier_uniform": nn.init.xavier_uniform_,
    "xavier_normal": nn.init.xavier_normal_,
    "kaiming_uniform": _kaiming_uniform,
    "kaiming_normal": _kaiming_normal,
    "lecun": _lecun,
    "fan_in_uniform": _fan_in_uniform,
    "torch": _as_built,
}
BIASES: dict[str, Callable[[Tensor], object]] = {"zeros": nn.init.zeros_, "torch": _as_built}


@torch.no_grad()
def initialise(net: nn.Sequential, model: ModelSpec) -> None:
    """Fill weights and biases of convolutions, dense layers and subsampling in place."""
    fill = WEIGHTS[model.init]
    for module in net:
        if not isinstance(module, WEIGHTED):
            continue
        if isinstance(module, Convolution) and module.connections:
            _fill_connections(module, module.connections, fill)
        elif isinstance(module, Subsampling):
            windows = nn.Conv2d(1, len(module.weight), module.size).weight  # one weight of each
            fill(windows)
            module.weight.copy_(windows[:, 0, 0, 0])
        else:
            fill(module.weight)
        if module.bias is not None:
            BIASES[model.bias_init](module.bias)


def _fill_connections(
    conv: Convolution, connections: Sequence[Sequence[int]], fill: Callable[[Tensor], object]
) -> None:
    """Draw each output's kernels as those of a complete convolution of the inputs that it reads."""
    kernels = torch.split(conv.weight, [len(read) for read in connections])
    for output, own in enumerate(kernels):
        complete = nn.Conv2d(len(own), conv.out_channels, (own.shape[2], own.shape[3])).weight
        fill(complete)
        own.copy_(complete[output].unsqueeze(1))
