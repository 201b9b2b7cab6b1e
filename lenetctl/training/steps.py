"""The ways to run one training step, all of one signature: `train` knows `Step` and no more."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from lenetctl.specs.schema import Spec
from lenetctl.training.cpu.forward import compiled_forward
from lenetctl.training.cpu.program import is_whole
from lenetctl.training.cpu.whole_step import WholeStep
from lenetctl.training.cuda_graph import GraphedFunction, capturable
from lenetctl.training.evaluate import Forward
from lenetctl.training.objective.loss import mean_loss, summed_over_devices

# from images (B, 1, 28, 28) and labels (B,) to the mean loss and the number of right answers,
# two scalars that stay on the device
Step = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def eager(net: nn.Sequential, optimizer: torch.optim.Optimizer, spec: Spec) -> Step:
    """Return the step as PyTorch runs it, operation by operation."""
    return _step(net, optimizer, spec)


def compiled(net: nn.Sequential, optimizer: torch.optim.Optimizer, spec: Spec) -> Step:
    """Return the step compiled for this machine's CPU: all of it, or convolutions and pools.

    Raises:
        UsageError: there is no C++ compiler, or it cannot compile the layers.

    """
    if not is_whole(spec):
        return _step(compiled_forward(net), optimizer, spec)
    training = spec.training
    whole = WholeStep(net, training.label_smoothing)
    if isinstance(optimizer, torch.optim.SGD) and not training.clip_norm:
        return lambda images, labels: whole(images, labels, optimizer)

    def step(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        outcome = whole(images, labels)
        _move(optimizer, training.clip_norm)
        return outcome

    return step


def compiled_logits(net: nn.Sequential, spec: Spec) -> Forward:
    """Return the forward pass compiled for this machine's CPU.

    Raises:
        UsageError: as `compiled`.

    """
    return WholeStep(net).logits if is_whole(spec) else compiled_forward(net)


def graph(net: nn.Sequential, optimizer: torch.optim.Optimizer, spec: Spec) -> Step:
    """Return the step as one CUDA graph; `optimizer` is changed so that it can be captured."""
    rate = capturable(optimizer)
    (group,) = optimizer.param_groups
    graphed = GraphedFunction(_step(net, optimizer, spec))

    def step(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        rate.fill_(group["lr"])  # which `train` has set to a number; the graph reads `rate`
        group["lr"] = rate
        loss, right = graphed(images, labels)
        return loss, right

    return step


def _step(logits_of: Forward, optimizer: torch.optim.Optimizer, spec: Spec) -> Step:
    training = spec.training
    loss_of = mean_loss(training)

    def step(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        bf16 = training.precision == "bf16"
        with torch.autocast(images.device.type, torch.bfloat16, enabled=bf16):
            logits = logits_of(images)
            loss = loss_of(logits, labels)
            total = loss
            if training.devices > 1:
                total = summed_over_devices(loss_of, logits, labels, training.devices)
        optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        _move(optimizer, training.clip_norm)
        return loss.detach(), (logits.detach().argmax(1) == labels).sum()

    return step


def _move(optimizer: torch.optim.Optimizer, clip_norm: float | None) -> None:
    """Take a step against the gradients, which are clipped first where that is asked for."""
    if clip_norm:
        clip_grad_norm_(optimizer.param_groups[0]["params"], clip_norm)
    optimizer.step()
