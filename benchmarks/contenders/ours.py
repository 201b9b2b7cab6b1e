"""Training with lenetctl; the engine is the contender's variant."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from lenetctl import spec as specs
from lenetctl.data.load import Split, load
from lenetctl.engine import device, steps
from lenetctl.engine.state import fresh
from lenetctl.engine.trainer import Splits, train

SPEC = Path(__file__).parents[2] / "experiments" / "baseline.yaml"


def run(begin: Callable[[], None], engine: str) -> None:
    """Train for ever, calling `begin` before every epoch."""
    spec = specs.load(
        SPEC, ["training.epochs=100000", f"data.limit={os.environ['BENCHMARK_IMAGES']}"]
    )
    dataset = load(spec.data)
    # what is measured is training: hardly any test images
    test = Split(dataset.test.images[:10], dataset.test.labels[:10])
    cpu = torch.device("cpu")
    splits = Splits.of(replace(dataset, test=test), spec, cpu)
    state = fresh(spec, cpu)
    with device.numerics(spec.training):
        step = steps.ENGINES[engine](state.net, state.optimizer, spec.training)
        begin()
        for _ in train(state, step, splits, spec):
            begin()
