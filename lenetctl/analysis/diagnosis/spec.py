"""Why will a spec not learn? What can be measured before it is trained."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from lenetctl.analysis.diagnosis.findings import Beginning, Finding, Locate, find_causes
from lenetctl.data.dataset import Dataset
from lenetctl.data.device import DeviceSplit
from lenetctl.specs.schema import Spec
from lenetctl.training.device import numerics
from lenetctl.training.diagnostics.expected_fall import look_ahead
from lenetctl.training.diagnostics.layers import (
    balanced_batch,
    expendable_copy,
    measure_layers,
)
from lenetctl.training.diagnostics.range_test import RangeTest, range_test
from lenetctl.training.diagnostics.rehearsal import Rehearsal, rehearse
from lenetctl.training.optimizers import build_optimizer
from lenetctl.training.schedule import learning_rate
from lenetctl.training.state import initial_net

SEEDS = 4  # the spec's own and the three after it
DRAWN = 500  # points of a schedule


@dataclass(frozen=True)
class Diagnosis:
    """What is known of a spec before it is trained."""

    beginnings: list[Beginning]  # the spec's own seed first
    rehearsal: Rehearsal  # with the own seed
    range_test: RangeTest
    findings: list[Finding]
    schedule: tuple[list[float], list[float]]  # epochs from 0, and the learning rate at each


def diagnose(
    spec: Spec, dataset: Dataset, locate: Locate, device: torch.device, seeds: int = SEEDS
) -> Diagnosis:
    """Measure the untrained nets of `spec` for some seeds, and train its own for some steps.

    Args:
        spec: what would be trained.
        dataset: its images.
        locate: where a key of the spec is written.
        device: that computes.
        seeds: how many, from the spec's own on.

    """
    split = DeviceSplit(dataset.train, device, *dataset.normalisation(spec.data))
    own = spec.training.seed
    with numerics(spec.training):
        beginnings = [measure_beginning(spec, seed, split) for seed in range(own, own + seeds)]
        rehearsal = rehearse(spec, split)
        tested = range_test(spec, split)
    findings = find_causes(spec, beginnings[0], rehearsal, tested, locate)
    return Diagnosis(beginnings, rehearsal, tested, findings, _schedule(spec, len(split)))


def measure_beginning(spec: Spec, seed: int, split: DeviceSplit) -> Beginning:
    """Return what the net of `spec` does with training images before training, from `seed`."""
    training = spec.training.model_copy(update={"seed": seed})
    spec = spec.model_copy(update={"training": training})
    images, labels = balanced_batch(split)
    net = initial_net(spec, split.labels.device)
    fall = look_ahead(net, spec, images, labels, _steps_per_epoch(spec, len(split))).fall
    copy = expendable_copy(net)
    optimizer = build_optimizer(copy.parameters(), training.optimizer)
    layers = measure_layers(copy, optimizer, images, labels, training)
    return Beginning(seed, layers, fall)


def _schedule(spec: Spec, images: int) -> tuple[list[float], list[float]]:
    steps = _steps_per_epoch(spec, images)
    rate, total = learning_rate(spec.training, steps), steps * spec.training.epochs
    drawn = range(0, total, max(1, total // DRAWN))
    return [step / steps for step in drawn], [rate(step) for step in drawn]


def _steps_per_epoch(spec: Spec, images: int) -> int:
    return -(-images // spec.data.batch_size)
