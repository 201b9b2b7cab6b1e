"""By how much training can be expected to lower the loss, from one gradient alone."""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lenetctl.specs.schema import Spec
from lenetctl.specs.training import Sgd
from lenetctl.training.diagnostics.layers import expendable_copy
from lenetctl.training.objective.curvature import measure_on
from lenetctl.training.optimizers import build_optimizer
from lenetctl.training.schedule import learning_rate

SAMPLES = 1000  # steps whose learning rates stand for all


@dataclass(frozen=True)
class Outlook:
    """Where the loss is and where it goes, counting only what differs between images.

    The mean of the logits is taken off, because a net that answers all images alike learns which
    classes are frequent and no more.
    """

    loss: float  # nats
    fall: float  # nats, over the training, to first order, if every step is like the next one


def look_ahead(
    net: nn.Sequential, spec: Spec, images: Tensor, labels: Tensor, steps_per_epoch: int
) -> Outlook:
    """Return the outlook of `net`, which stays as it is.

    The fall is 0 where no image gets through, and a small part of a nat where the signal fades from
    layer to layer.

    Args:
        net: before or in training.
        spec: its optimizer and schedule.
        images: (N, 1, 28, 28), normalised, as many of each class.
        labels: (N,).
        steps_per_epoch: of the training.

    """
    net, training = expendable_copy(net), spec.training
    undecayed = training.optimizer.model_copy(update={"weight_decay": 0.0})
    optimizer = build_optimizer(net.parameters(), undecayed)
    measure_on(optimizer, net, training, images, labels)
    logits = net(images)
    loss = cross_entropy(logits - logits.mean(0), labels)
    (training.devices * loss).backward()  # type: ignore[no-untyped-call]
    parameters = [p for p in net.parameters() if p.grad is not None]
    before = [p.detach().clone() for p in parameters]
    optimizer.step()
    fall = sum(
        float((p.grad * (old - p.detach())).sum())
        for p, old in zip(parameters, before, strict=True)
        if p.grad is not None
    )
    if isinstance(training.optimizer, Sgd):
        fall /= 1 - training.optimizer.momentum  # what a gradient adds over the steps after it
    fall *= _steps_at_full_rate(spec, steps_per_epoch) / training.devices
    return Outlook(float(loss.detach()), fall)


def _steps_at_full_rate(spec: Spec, steps_per_epoch: int) -> float:
    """Return the sum of the schedule's learning rates, by the highest one."""
    rate = learning_rate(spec.training, steps_per_epoch)
    total = spec.training.epochs * steps_per_epoch
    samples = min(total, SAMPLES)
    mean = sum(rate(n * total // samples) for n in range(samples)) / samples
    return mean / spec.training.optimizer.lr * total
