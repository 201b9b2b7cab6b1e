"""Some steps of a training, from the initial weights, at whatever learning rates are asked for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import torch
from torch import nn

from lenetctl.data.device import Batch, DeviceSplit
from lenetctl.specs.schema import Spec
from lenetctl.training.engines import ENGINES, choose_engine
from lenetctl.training.objective.curvature import measure_before_epoch
from lenetctl.training.optimizers import build_optimizer
from lenetctl.training.state import initial_net

BATCH = 256  # images at most: a step takes a fraction of a second whatever the spec's batch


@contextmanager
def short_training(
    spec: Spec, split: DeviceSplit
) -> Iterator[tuple[nn.Sequential, Callable[[float], float]]]:
    """Give the net of `spec`, and a function that does its next step at a rate.

    The function returns the loss of the step. The state of torch's global generator is
    put back at the end.
    """
    device, training = split.labels.device, spec.training
    net = initial_net(spec, device).train()
    optimizer = build_optimizer(net.parameters(), training.optimizer)
    # a CUDA graph takes longer to capture than these steps do
    wanted = "auto" if device.type == "cpu" else "eager"
    engine = choose_engine(wanted, spec, len(split), device).engine
    step = ENGINES[engine].build_step(net, optimizer, spec)
    measure_before_epoch(optimizer, net, training, split, 1)
    batches = _batches(spec, split)

    def step_at(rate: float) -> float:
        optimizer.param_groups[0]["lr"] = rate
        return float(step(*next(batches))[0])

    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(training.seed)  # of dropout
        yield net, step_at


def _batches(spec: Spec, split: DeviceSplit) -> Iterator[Batch]:
    size = min(spec.data.batch_size, BATCH)
    for epoch in count(1):
        yield from split.shuffled_batches(size, spec.training.seed, epoch, spec.data.augment)
