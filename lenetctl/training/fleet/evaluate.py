"""Loss and confusion of all models of a fleet on a split."""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy

from lenetctl.data.device import DeviceSplit
from lenetctl.specs.layers import CLASSES
from lenetctl.training.evaluate import BATCH, Evaluation
from lenetctl.training.fleet.state import FleetState
from lenetctl.training.meter import CompensatedSum


@torch.inference_mode()
def evaluate_fleet(fleet: FleetState, split: DeviceSplit) -> list[Evaluation]:
    """Return the evaluation of each model on `split`, with its averages where it has any."""
    weights = fleet.served()
    models, device = len(weights.parameters), split.labels.device
    loss = CompensatedSum(models, device=device)
    confusion = torch.zeros(models * CLASSES**2, dtype=torch.int64, device=device)
    one = torch.ones((), dtype=torch.int64, device=device)
    first = torch.arange(models, device=device).unsqueeze(1) * CLASSES**2  # of a model's counts
    for images, labels in split.batches(BATCH):
        logits = fleet.net.logits(weights, images.unsqueeze(1).expand(-1, models, -1, -1, -1))
        truth = labels.expand(models, -1)
        each = cross_entropy(logits.flatten(0, 1), truth.flatten(), reduction="none")
        loss.add(each.view_as(truth).sum(1))
        pairs = (first + truth * CLASSES + logits.argmax(2)).flatten()
        confusion.scatter_add_(0, pairs, one.expand_as(pairs))
    # the only place that waits for the device
    means = (loss.value.cpu() / len(split)).tolist()
    counts = confusion.view(models, CLASSES, CLASSES).cpu().numpy()
    return [Evaluation(mean, count) for mean, count in zip(means, counts, strict=True)]
