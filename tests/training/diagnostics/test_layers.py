"""What is said of a layer is what plain hooks of torch see."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from lenetctl.model.build import ACTIVATIONS, build_model
from lenetctl.specs.schema import ModelSpec, TrainingSpec
from lenetctl.training.diagnostics.layers import (
    effective_rank,
    expendable_copy,
    measure_layers,
    tells_apart,
)

FIRST = {"conv1": "act1", "conv2": "act2", "dense1": "act3", "dense2": "act4", "output": "output"}
SLOPES = {
    "sigmoid": lambda x: x.sigmoid() * (1 - x.sigmoid()),
    "tanh": lambda x: 1 - x.tanh() ** 2,
    "relu": lambda x: (x > 0).float(),
}


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(20, 1, 28, 28, generator=generator)
    return images, torch.randint(0, 10, (20,), generator=generator)


def sgd(net, lr=0.5):
    return torch.optim.SGD(net.parameters(), lr=lr)


@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_they_are_what_hooks_see(activation, norm, batch):
    images, labels = batch
    model = ModelSpec(activation=activation, norm=norm, dropout=0.5)
    net = expendable_copy(build_model(model, seed=3))
    reference = expendable_copy(net)
    seen, into = {}, {}
    for name, module in reference.named_children():
        module.register_forward_hook(lambda _, __, out, n=name: seen.update({n: out.detach()}))
        module.register_forward_pre_hook(lambda _, args, n=name: into.update({n: args[0].detach()}))
    cross_entropy(reference(images), labels).backward()
    norms = {name: p.grad.norm().item() for name, p in reference.named_parameters()}

    found = {
        layer.name: layer for layer in measure_layers(net, sgd(net), images, labels, TrainingSpec())
    }
    assert list(found) == list(FIRST)
    for name, last in FIRST.items():
        layer, weight = found[name], reference.get_parameter(f"{name}.weight")
        assert layer.activation_mean == pytest.approx(seen[last].mean().item(), abs=1e-6)
        assert layer.activation_std == pytest.approx(seen[last].std().item(), rel=1e-5)
        assert layer.gradient_norm == pytest.approx(norms[f"{name}.weight"], rel=1e-5)
        ratio = norms[f"{name}.weight"] / norms["output.weight"]
        assert layer.gradient_ratio == pytest.approx(ratio, rel=1e-5)
        moved = 0.5 * norms[f"{name}.weight"] / weight.norm().item()
        assert layer.update_ratio == pytest.approx(moved, rel=1e-3)
        if activation in SLOPES and last != "output":
            slope = SLOPES[activation](into[last])
            saturated = slope < slope.new_tensor(0.25 if activation == "sigmoid" else 1.0) / 5
            assert layer.saturated == pytest.approx(saturated.float().mean().item())
            everywhere = saturated.transpose(0, 1).flatten(1).all(1)
            assert list(layer.dead_units) == everywhere.nonzero()[:, 0].tolist()


def test_dead_units_are_named(batch):
    net = expendable_copy(build_model(ModelSpec(activation="relu"), seed=0))
    with torch.no_grad():
        net.conv2.bias[[3, 7]] = -100
    layer = measure_layers(net, sgd(net), *batch, TrainingSpec())[1]
    assert {3, 7} <= set(layer.dead_units)
    assert layer.dead == len(layer.dead_units) / 16


def test_the_net_itself_and_the_random_numbers_stay(batch):
    net = build_model(ModelSpec(norm="batch", dropout=0.5), seed=0)
    weights = {name: value.clone() for name, value in net.state_dict().items()}
    before = torch.get_rng_state()
    copy = expendable_copy(net)
    measure_layers(copy, sgd(copy), *batch, TrainingSpec())
    assert torch.equal(torch.get_rng_state(), before)
    for name, value in net.state_dict().items():
        assert torch.equal(value, weights[name]), name
    assert not torch.equal(copy.conv1.weight, net.conv1.weight)


def test_the_effective_rank_counts_directions():
    images = torch.eye(8)[:, :5]
    assert effective_rank(torch.ones(10, 4)) == 0
    assert effective_rank(torch.arange(10.0)[:, None] * torch.ones(3)) == pytest.approx(1, rel=1e-3)
    assert 4 < effective_rank(images) <= 5
    assert effective_rank(images.index_fill(1, torch.tensor([2]), float("inf"))) == 0


def test_a_net_that_answers_all_images_alike_tells_none_apart(batch):
    images, labels = batch[0], torch.arange(20) % 10
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))
    torch.nn.init.zeros_(net[1].weight)
    assert not tells_apart(net, images, labels)
    with torch.no_grad():
        features = images.flatten(1).double()
        wanted = torch.nn.functional.one_hot(labels, 10).double()
        net[1].weight.copy_(torch.linalg.lstsq(features, wanted).solution.T)
        net[1].bias.zero_()
    assert tells_apart(net, images, labels)
