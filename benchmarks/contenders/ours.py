"""Training with lenetctl; the contender's variant is the engine, or the models of a fleet."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
from made import fleet_models

from lenetctl import specs
from lenetctl.data.dataset import Split, load_dataset
from lenetctl.data.device import DeviceDataset
from lenetctl.training import device
from lenetctl.training.engines import ENGINES
from lenetctl.training.fleet.loop import train_fleet
from lenetctl.training.loop import train
from lenetctl.training.state import initial_state

SPEC = Path(__file__).parents[2] / "experiments" / "baseline.yaml"


def run(begin: Callable[[], None], variant: str) -> None:
    """Train for ever, calling `begin` before every epoch."""
    spec = specs.load_spec(
        SPEC, ["training.epochs=100000", f"data.limit={os.environ['BENCHMARK_IMAGES']}"]
    )
    dataset = load_dataset(spec.data)
    # what is measured is training: hardly any test images
    test = Split(dataset.test.images[:10], dataset.test.labels[:10])
    where = torch.device(os.environ["BENCHMARK_DEVICE"])
    splits = DeviceDataset.of(replace(dataset, test=test), spec.data, where)
    with device.numerics(spec.training):
        epochs: Iterator[object]
        if variant.isdecimal():
            epochs = train_fleet(fleet_models(spec, int(variant), where), splits)
        else:
            state = initial_state(spec, where)
            step = ENGINES[variant].build_step(state.net, state.optimizer, spec)
            epochs = train(state, step, splits, spec)
        begin()
        for _ in epochs:
            begin()
