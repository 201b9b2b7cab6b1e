"""Second derivatives of a loss by each weight of a net, as LeCun et al. (1998) estimate them.

Appendix C of "Gradient-based learning applied to document recognition": they are passed back from
layer to layer like the gradient. Second derivatives by two different numbers are neglected, and so
is the curvature of the activation functions, which leaves none of them below zero (a Gauss-Newton
approximation). A weight that many connections share has the sum of theirs.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import functional_call

from lenetctl.data.device import DeviceSplit, stream_seed
from lenetctl.model.build import ACTIVATIONS
from lenetctl.model.modules import WEIGHTED, Convolution, RbfOutput
from lenetctl.specs.schema import TrainingSpec
from lenetctl.training.objective.loss import Loss, mean_loss
from lenetctl.training.optimizers import Sdlm

PARTS = 100  # images at a time, which bounds the memory


def measure_before_epoch(
    optimizer: torch.optim.Optimizer,
    net: nn.Sequential,
    training: TrainingSpec,
    split: DeviceSplit,
    epoch: int,
) -> None:
    """Set the step sizes of an `Sdlm` from training images, drawn anew for each epoch."""
    if isinstance(optimizer, Sdlm):
        drawn = torch.Generator().manual_seed(stream_seed("curvature", training.seed, epoch))
        chosen = torch.randperm(len(split), generator=drawn)[: optimizer.defaults["samples"]]
        chosen = chosen.to(split.labels.device)
        measure_on(optimizer, net, training, *split[chosen])


def measure_on(
    optimizer: torch.optim.Optimizer,
    net: nn.Sequential,
    training: TrainingSpec,
    images: Tensor,
    labels: Tensor,
) -> None:
    """Set the step sizes of an `Sdlm`, which has the parameters of `net`, from these images."""
    if isinstance(optimizer, Sdlm):
        optimizer.set_curvatures(curvatures(net, mean_loss(training), images, labels))


def curvatures(net: nn.Sequential, loss: Loss, images: Tensor, labels: Tensor) -> list[Tensor]:
    """Return the second derivative by each parameter of `net`, a mean over the images (N, …)."""
    sums = [torch.zeros_like(parameter) for parameter in net.parameters()]
    for part, truth in zip(torch.split(images, PARTS), torch.split(labels, PARTS), strict=True):
        torch._foreach_add_(sums, _summed_over_images(net, loss, part, truth))
    torch._foreach_div_(sums, len(images))
    return sums


def _summed_over_images(
    net: nn.Sequential, loss: Loss, images: Tensor, labels: Tensor
) -> list[Tensor]:
    layers = [module for module in net if not isinstance(module, nn.Dropout)]
    inputs = [images]
    with torch.no_grad():
        for module in layers:
            inputs.append(module(inputs[-1]))
    first, curvature = _by_logits(loss, inputs.pop(), labels)
    found: list[Tensor] = []  # the last layer's first
    wanted = len(list(net.parameters()))
    for module, x in zip(reversed(layers), reversed(inputs), strict=True):
        if isinstance(module, WEIGHTED):
            found = _by_parameters(module, x, curvature) + found
        if len(found) == wanted:
            break  # before them lies at most a resize, whose way back is not deterministic on CUDA
        curvature = _by_input(module, x, curvature, first)
    return found


def _by_logits(loss: Loss, logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first and the second derivatives of each image's loss by each of its logits."""
    logits = logits.detach().requires_grad_()
    with torch.enable_grad():
        total = loss(logits, labels) * len(labels)
        (first,) = torch.autograd.grad(total, logits, create_graph=True)
        if not first.requires_grad:  # of a loss that is linear
            return first, torch.zeros_like(first)
        columns = [
            torch.autograd.grad(first[:, n].sum(), logits, retain_graph=True)[0][:, n]
            for n in range(first.shape[1])
        ]
    return first.detach(), torch.stack(columns, dim=1)


def _by_parameters(module: nn.Module, x: Tensor, curvature: Tensor) -> list[Tensor]:
    """Return the sums, over all connections, of curvature times squared input."""
    if isinstance(module, Convolution):
        module = copy.copy(module)
        module.border_value **= 2  # an input as any other

    def of_squares(name: str, value: Tensor) -> Tensor:
        return functional_call(module, {name: value}, x.square())  # type: ignore[no-any-return]

    return [
        _pulled_back(partial(of_squares, name), parameter, curvature)
        for name, parameter in module.named_parameters()
    ]


def _by_input(module: nn.Module, x: Tensor, curvature: Tensor, first: Tensor) -> Tensor:
    """Return the curvature by the input of a layer from that by its output."""
    if isinstance(module, RbfOutput):  # -|x - code|²: the one layer with a curvature of its own
        apart = (x.unsqueeze(1) - module.codes).square()  # (B, classes, units)
        return 4 * (curvature.unsqueeze(2) * apart).sum(1) - 2 * first.sum(1, keepdim=True)
    if type(module) in ACTIVATIONS.values():
        return curvature * slopes(module, x).square()
    if isinstance(module, nn.AvgPool2d):
        assert isinstance(module.kernel_size, int)  # noqa: S101  so `POOLS` builds it
        curvature = curvature / module.kernel_size**2  # squared weights of the mean, by the mean's
    if isinstance(module, WEIGHTED):
        squared = {"weight": module.weight.detach().square()}
        return _pulled_back(lambda x: functional_call(module, squared, x), x, curvature)
    return _pulled_back(module, x, curvature)


def slopes(activation: nn.Module, values: Tensor) -> Tensor:
    """Return the slope of an activation function at each of `values`."""
    return _pulled_back(activation, values, torch.ones_like(values))


def _pulled_back(function: Callable[[Tensor], Tensor], at: Tensor, values: Tensor) -> Tensor:
    """Return the sum of `values` times the derivatives of `function` by each number of `at`."""
    at = at.detach().requires_grad_()
    with torch.enable_grad():
        (pulled,) = torch.autograd.grad(function(at), at, values)
    return pulled
