"""How one training step is run. The trainer knows the signature `Step` and nothing else."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lenetctl.specs.schema import TrainingSpec
from lenetctl.training.cpu.forward import compiled_forward
from lenetctl.training.cuda_graph import GraphedFunction, capturable

# images (B, 1, 28, 28) and labels (B,) to the mean loss and the number of right answers,
# both scalars left on the device
Step = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def eager(net: nn.Sequential, optimizer: torch.optim.Optimizer, training: TrainingSpec) -> Step:
    """Return the step as PyTorch runs it, operation by operation."""
    return _step(net, optimizer, training)


def compiled(net: nn.Sequential, optimizer: torch.optim.Optimizer, training: TrainingSpec) -> Step:
    """Return the step with convolutions compiled for this machine's CPU.

    Raises:
        UsageError: there is no C++ compiler, or it cannot compile the convolutions.

    """
    return _step(compiled_forward(net), optimizer, training)


def graph(net: nn.Sequential, optimizer: torch.optim.Optimizer, training: TrainingSpec) -> Step:
    """Return the step as one CUDA graph, which also changes `optimizer` to what that takes."""
    rate = capturable(optimizer)
    (group,) = optimizer.param_groups
    graphed = GraphedFunction(_step(net, optimizer, training))

    def step(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        rate.fill_(group["lr"])  # the trainer's number, where the graph reads it
        group["lr"] = rate
        loss, right = graphed(images, labels)
        return loss, right

    return step


def _step(
    logits_of: Callable[[Tensor], Tensor], optimizer: torch.optim.Optimizer, training: TrainingSpec
) -> Step:
    def step(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        bf16 = training.precision == "bf16"
        with torch.autocast(images.device.type, torch.bfloat16, enabled=bf16):
            logits = logits_of(images)
            loss = cross_entropy(logits, labels, label_smoothing=training.label_smoothing)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return loss.detach(), (logits.detach().argmax(1) == labels).sum()

    return step


ENGINES: dict[str, Callable[[nn.Sequential, torch.optim.Optimizer, TrainingSpec], Step]] = {
    "eager": eager,
    "compiled": compiled,
    "graph": graph,
}
