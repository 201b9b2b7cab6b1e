from math import sqrt

import pytest
import torch
from torch import nn

from lenetctl.model.build import build_model
from lenetctl.specs.schema import Conv, ModelSpec

KINDS = ["xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "lecun", "torch"]
CONV = (Conv(channels=32, kernel=5), Conv(channels=64, kernel=5))
# of conv2: fan_in 32·25, fan_out 64·25; of dense1: fan_in 64·16, fan_out 300
FANS = {"conv2": (800, 1600), "dense1": (1024, 300)}


def weights(**values):
    net = build_model(ModelSpec(conv=CONV, dense=(300,), **values), seed=0)
    return {name: net.get_submodule(name).weight.detach() for name in FANS}


@pytest.mark.parametrize("layer", FANS)
@pytest.mark.parametrize(
    ("init", "bound"),
    [
        ("xavier_uniform", lambda fan_in, fan_out: sqrt(6 / (fan_in + fan_out))),
        ("kaiming_uniform", lambda fan_in, _: sqrt(6 / fan_in)),
        ("torch", lambda fan_in, _: sqrt(1 / fan_in)),
    ],
)
def test_uniform_weights_fill_their_bounds(init, bound, layer):
    weight, limit = weights(init=init)[layer], bound(*FANS[layer])
    assert 0.999 * limit < weight.abs().max().item() <= limit * (1 + 1e-6)
    assert weight.std().item() == pytest.approx(limit / sqrt(3), rel=0.02)
    assert abs(weight.mean().item()) < 0.02 * limit


@pytest.mark.parametrize("layer", FANS)
@pytest.mark.parametrize(
    ("init", "std"),
    [
        ("xavier_normal", lambda fan_in, fan_out: sqrt(2 / (fan_in + fan_out))),
        ("kaiming_normal", lambda fan_in, _: sqrt(2 / fan_in)),
        ("lecun", lambda fan_in, _: sqrt(1 / fan_in)),
    ],
)
def test_normal_weights_have_their_deviation(init, std, layer):
    weight, deviation = weights(init=init)[layer], std(*FANS[layer])
    assert weight.std().item() == pytest.approx(deviation, rel=0.02)
    assert abs(weight.mean().item()) < 0.02 * deviation
    beyond = (weight.abs() > 2 * deviation).float().mean().item()
    assert beyond == pytest.approx(0.0455, rel=0.1)  # a uniform has none there


@pytest.mark.parametrize("init", KINDS)
def test_biases_are_zero_and_batch_norm_is_the_identity(init):
    net = build_model(ModelSpec(init=init, norm="batch"), seed=0)
    for name in ("conv1", "conv2", "dense1", "dense2", "output", "norm1", "norm2"):
        assert not net.get_submodule(name).bias.any()
    assert torch.equal(net.norm1.weight, torch.ones(6))


def test_torch_leaves_what_the_constructors_made():
    net = build_model(ModelSpec(init="torch", bias_init="torch"), seed=6)
    with torch.random.fork_rng():
        torch.manual_seed(6)
        made = [
            nn.Conv2d(1, 6, 5, padding=2),
            nn.Conv2d(6, 16, 5),
            nn.Linear(400, 120),
            nn.Linear(120, 84),
            nn.Linear(84, 10),
        ]
    built = [module for module in net if isinstance(module, nn.Conv2d | nn.Linear)]
    for one, other in zip(built, made, strict=True):
        assert torch.equal(one.weight, other.weight)
        assert torch.equal(one.bias, other.bias)


def test_biases_of_torch_go_with_any_weights():
    net = build_model(ModelSpec(init="lecun", bias_init="torch"), seed=0)
    limit = 1 / sqrt(400)
    assert 0.9 * limit < net.dense1.bias.abs().max().item() <= limit
