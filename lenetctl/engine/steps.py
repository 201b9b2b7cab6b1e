"""How one training step is run. The trainer knows the signature `Step` and nothing else."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lenetctl.spec.schema import TrainingSpec

# images (B, 1, 28, 28) and labels (B,) to the mean loss and the number of right answers,
# both scalars left on the device
Step = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def eager(net: nn.Module, optimizer: torch.optim.Optimizer, training: TrainingSpec) -> Step:
    """Return the step as PyTorch runs it, operation by operation."""

    def step(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        bf16 = training.precision == "bf16"
        with torch.autocast(images.device.type, torch.bfloat16, enabled=bf16):
            logits = net(images)
            loss = cross_entropy(logits, labels, label_smoothing=training.label_smoothing)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return loss.detach(), (logits.detach().argmax(1) == labels).sum()

    return step


ENGINES: dict[str, Callable[[nn.Module, torch.optim.Optimizer, TrainingSpec], Step]] = {
    "eager": eager,
}
