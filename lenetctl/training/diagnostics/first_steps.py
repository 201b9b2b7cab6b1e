"""What the first steps of a training make of a net."""

from math import isfinite

import torch

from lenetctl.data.device import DeviceSplit
from lenetctl.specs.schema import Spec
from lenetctl.training import steps
from lenetctl.training.diagnostics.expected_fall import expected_fall
from lenetctl.training.diagnostics.layers import balanced_batch
from lenetctl.training.objective.curvature import measure_before_epoch
from lenetctl.training.optimizers import build_optimizer
from lenetctl.training.schedule import learning_rate
from lenetctl.training.state import initial_net

STEPS = 50


def fall_after_first_steps(spec: Spec, split: DeviceSplit) -> float:
    """Return the expected fall of the loss once `STEPS` steps are done at the spec's own rates.

    A rate that is too large leaves a net that answers all images alike, and the fall is near 0; so
    it is where the loss is no number any more. The state of torch's global generator is kept.
    """
    per_epoch = -(-len(split) // spec.data.batch_size)
    device, training = split.labels.device, spec.training
    net = initial_net(spec, device).train()
    optimizer = build_optimizer(net.parameters(), training.optimizer)
    step, rate = steps.eager(net, optimizer, training), learning_rate(training, per_epoch)
    measure_before_epoch(optimizer, net, training, split, 1)
    batches = split.shuffled_batches(spec.data.batch_size, training.seed, 1, spec.data.augment)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(training.seed)  # of dropout
        for number, (images, labels) in zip(range(STEPS), batches, strict=False):
            optimizer.param_groups[0]["lr"] = rate(number)
            step(images, labels)
    fall = expected_fall(net, spec, *balanced_batch(split), per_epoch)
    return fall if isfinite(fall) else 0.0
