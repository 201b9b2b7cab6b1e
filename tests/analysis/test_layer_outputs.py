import numpy as np
import pytest
import torch

from lenetctl.analysis.layer_outputs import layer_outputs
from lenetctl.model.build import build_model
from lenetctl.specs.schema import ModelSpec

NET = ModelSpec(norm="batch", dropout=0.5, activation="relu")


@pytest.fixture
def net():
    net = build_model(NET, seed=3)
    with torch.no_grad():
        net.norm1.running_mean.fill_(0.5)  # so that the two modes of a net differ
    return net


@pytest.fixture
def images():
    return torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(1))


def test_they_are_what_hooks_see(net, images):
    seen = {}
    for name, module in net.named_children():
        module.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
    with torch.no_grad():
        logits = net.eval()(images)
    expected = {name: out.numpy().copy() for name, out in seen.items()}
    found = layer_outputs(net, images, list(expected))
    assert found.layers.keys() == expected.keys()
    for name, maps in found.layers.items():
        np.testing.assert_array_equal(maps, expected[name])
    np.testing.assert_array_equal(found.probabilities, logits.softmax(1).numpy())


def test_only_what_is_wanted_and_the_mode_is_kept(net, images):
    net.train()
    found = layer_outputs(net, images, ["act2", "dense1"])
    assert {name: maps.shape for name, maps in found.layers.items()} == {
        "act2": (3, 16, 10, 10),
        "dense1": (3, 120),
    }
    assert net.training
    assert net.norm1.running_mean.unique() == 0.5
