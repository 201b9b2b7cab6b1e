import pytest
import torch

from lenetctl.data.dataset import load_dataset
from lenetctl.data.device import DeviceDataset
from lenetctl.specs.schema import Spec
from lenetctl.training import steps
from lenetctl.training.diagnostics.watch import LayerWatch
from lenetctl.training.loop import train
from lenetctl.training.metrics import CLOCK_READINGS
from lenetctl.training.state import initial_state

OPTIMIZERS = (
    {"kind": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": True},
    {"kind": "adam", "lr": 0.001, "weight_decay": 0.01},
)


def trained(optimizer, *, watched):
    spec = Spec.model_validate(
        {
            "name": "watched",
            "data": {"dataset": "digits", "limit": 256, "augment": [{"kind": "shift"}]},
            "model": {"norm": "batch", "dropout": 0.3, "activation": "relu"},
            "training": {"epochs": 3, "optimizer": optimizer, "ema": 0.9},
        }
    )
    where = torch.device("cpu")
    splits = DeviceDataset.of(load_dataset(spec.data), spec.data, where)
    state = initial_state(spec, where)
    watch = LayerWatch(spec, splits.train)
    step = steps.eager(state.net, state.optimizer, spec)
    results = [
        watch.added(result, state) if watched else result
        for result in train(state, step, splits, spec)
    ]
    return state, [result.metrics for result in results]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda one: one["kind"])
def test_training_has_the_same_bits(optimizer):
    plain, lines = trained(optimizer, watched=False)
    watched, more = trained(optimizer, watched=True)
    expected = plain.tensors()
    for name, value in watched.tensors().items():
        assert torch.equal(value, expected[name]), name
    for line, with_layers in zip(lines, more, strict=True):
        for key in line.keys() - CLOCK_READINGS:
            assert with_layers[key] == line[key], key
    layers = {key.split("/")[1] for key in more[0] if key.startswith("layers/")}
    assert layers == {"conv1", "conv2", "dense1", "dense2", "output"}
    assert more[0]["layers/conv1/gradient_norm"] != more[2]["layers/conv1/gradient_norm"]
    assert 0 < more[2]["layers/conv1/update_ratio"] < 1
    assert 0 < more[2]["layers/dense1/saturated_share"] < 1
