"""The ways to run one training step, all of one signature: `train` knows `Step` and no more."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from lenetctl.specs.schema import TrainingSpec
from lenetctl.training.cpu.forward import compiled_forward
from lenetctl.training.cuda_graph import GraphedFunction, capturable
from lenetctl.training.objective.loss import mean_loss, summed_over_devices

# from images (B, 1, 28, 28) and labels (B,) to the mean loss and the number of right answers,
# two scalars that stay on the device
Step = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def eager(net: nn.Sequential, optimizer: torch.optim.Optimizer, training: TrainingSpec) -> Step:
    """Return the step as PyTorch runs it, operation by operation."""
    return _step(net, optimizer, training)


def compiled(net: nn.Sequential, optimizer: torch.optim.Optimizer, training: TrainingSpec) -> Step:
    """Return the step with convolutions and pools compiled for this machine's CPU.

    Raises:
        UsageError: there is no C++ compiler, or it cannot compile the layers.

    """
    return _step(compiled_forward(net), optimizer, training)


def graph(net: nn.Sequential, optimizer: torch.optim.Optimizer, training: TrainingSpec) -> Step:
    """Return the step as one CUDA graph; `optimizer` is changed so that it can be captured."""
    rate = capturable(optimizer)
    (group,) = optimizer.param_groups
    graphed = GraphedFunction(_step(net, optimizer, training))

    def step(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        rate.fill_(group["lr"])  # which `train` has set to a number; the graph reads `rate`
        group["lr"] = rate
        loss, right = graphed(images, labels)
        return loss, right

    return step


def _step(
    logits_of: Callable[[Tensor], Tensor], optimizer: torch.optim.Optimizer, training: TrainingSpec
) -> Step:
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
        if training.clip_norm:
            clip_grad_norm_(optimizer.param_groups[0]["params"], training.clip_norm)
        optimizer.step()
        return loss.detach(), (logits.detach().argmax(1) == labels).sum()

    return step
