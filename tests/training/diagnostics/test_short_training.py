import pytest
import torch

from lenetctl.data.dataset import load_dataset
from lenetctl.data.device import DeviceSplit
from lenetctl.specs.schema import Spec
from lenetctl.training import steps
from lenetctl.training.diagnostics.short_training import BATCH, short_training
from lenetctl.training.engines import ENGINES, Engine
from lenetctl.training.optimizers import build_optimizer
from lenetctl.training.state import initial_net


def quick(batch_size=64, **model):
    data = {"dataset": "digits", "batch_size": batch_size, "augment": [{"kind": "shift"}]}
    model = {"activation": "relu", "dropout": 0.2} | model
    training = {"epochs": 2, "optimizer": {"kind": "adam", "lr": 0.01}}
    return Spec.model_validate(
        {"name": "quick", "data": data, "model": model, "training": training}
    )


@pytest.fixture(scope="module")
def split():
    return DeviceSplit(load_dataset(quick().data).train, "cpu")


def test_its_steps_are_those_of_the_training(split):
    spec, rates = quick(), (0.01, 0.02, 0.03)
    before = torch.get_rng_state()
    with short_training(spec, split) as (net, step_at):
        losses = [step_at(rate) for rate in rates]
    assert torch.equal(torch.get_rng_state(), before)

    reference = initial_net(spec, "cpu").train()
    optimizer = build_optimizer(reference.parameters(), spec.training.optimizer)
    step = steps.compiled(reference, optimizer, spec)
    batches = split.shuffled_batches(64, spec.training.seed, 1, spec.data.augment)
    torch.manual_seed(spec.training.seed)
    for rate, loss, batch in zip(rates, losses, batches, strict=False):
        optimizer.param_groups[0]["lr"] = rate
        assert float(step(*batch)[0]) == loss
    assert torch.equal(net.conv1.weight, reference.conv1.weight)


def test_it_goes_on_behind_the_last_batch_with_batches_that_are_not_too_large(split):
    with short_training(quick(batch_size=1000), split) as (_, step_at):
        losses = [step_at(0.001) for _ in range(2 + len(split) // BATCH)]
    assert losses[-1] < losses[0]


def test_the_engine_is_the_one_that_the_training_would_take(split, monkeypatch):
    built = []

    def compiled(*arguments):
        built.append(arguments)
        return steps.eager(*arguments)

    monkeypatch.setitem(ENGINES, "compiled", Engine(compiled, lambda *_: ""))
    monkeypatch.setattr("lenetctl.training.engines.compiled_library", lambda: None)
    wide = {"conv": [{"channels": 32, "kernel": 5}, {"channels": 16, "kernel": 5}]}
    for model, expected in ((wide, 0), ({}, 1)):
        with short_training(quick(**model), split):
            assert len(built) == expected
