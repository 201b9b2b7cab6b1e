"""Starting weights and biases, by their names in the literature."""

from collections.abc import Callable
from math import sqrt

import torch
from torch import Tensor, nn

from lenetctl.specs.schema import ModelSpec


def _as_built(values: Tensor) -> None:
    """Leave `values` as the module's own constructor filled them."""


def _lecun(weight: Tensor) -> None:
    # Gaussian with std 1/√fan_in (LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998)
    nn.init.normal_(weight, std=1 / sqrt(weight[0].numel()))


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
    "torch": _as_built,
}
BIASES: dict[str, Callable[[Tensor], object]] = {"zeros": nn.init.zeros_, "torch": _as_built}


@torch.no_grad()
def initialise(net: nn.Sequential, model: ModelSpec) -> None:
    """Fill weights and biases of convolutions and dense layers in place."""
    for module in net:
        if isinstance(module, nn.Conv2d | nn.Linear):
            WEIGHTS[model.init](module.weight)
            if module.bias is not None:
                BIASES[model.bias_init](module.bias)
