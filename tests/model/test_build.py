from math import prod

import pytest
import torch
from helpers.strategies import FUZZ, models
from hypothesis import given, settings
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lenetctl.model.build import build_model
from lenetctl.specs.layers import plan_layers
from lenetctl.specs.schema import Conv, ModelSpec, Pool

D2L_JAVA = Pool(size=5, stride=2, padding=2)


def count(net):
    return sum(parameter.numel() for parameter in net.parameters())


def test_the_chapters_net_has_61706_parameters():
    assert count(build_model(ModelSpec(), seed=0)) == 61_706


def test_without_the_first_bias_as_in_the_chapters_code_it_has_61700():
    conv = (Conv(channels=6, kernel=5, padding=2, bias=False), Conv(channels=16, kernel=5))
    net = build_model(ModelSpec(conv=conv, pool=D2L_JAVA), seed=0)
    assert count(net) == 61_700
    assert net.conv1.bias is None
    assert net(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_the_chapters_net_layer_by_layer():
    net = build_model(ModelSpec(), seed=0)
    kinds = [(name, type(module).__name__) for name, module in net.named_children()]
    assert kinds == [
        ("conv1", "Conv2d"),
        ("act1", "Sigmoid"),
        ("pool1", "AvgPool2d"),
        ("conv2", "Conv2d"),
        ("act2", "Sigmoid"),
        ("pool2", "AvgPool2d"),
        ("flatten", "Flatten"),
        ("dense1", "Linear"),
        ("act3", "Sigmoid"),
        ("dense2", "Linear"),
        ("act4", "Sigmoid"),
        ("output", "Linear"),
    ]


@settings(max_examples=2 * FUZZ, deadline=None)
@given(models(widest=8))
def test_the_plan_is_what_happens(model):
    layers = plan_layers(model)
    net = build_model(model, seed=0).eval()
    assert [name for name, _ in net.named_children()] == [layer.name for layer in layers]
    assert [count(module) for module in net] == [layer.parameters for layer in layers]
    shapes = []
    for module in net:
        module.register_forward_hook(
            lambda _, given, output: shapes.append((given[0].shape, output.shape))
        )
    with torch.no_grad(), FlopCounterMode(display=False) as flops:
        net(torch.zeros(1, 1, 28, 28))
    assert shapes == [((1, *layer.input_shape), (1, *layer.output_shape)) for layer in layers]
    assert flops.get_total_flops() == 2 * sum(map(counted_by_torch, layers))
    assert prod(shapes[-1][1]) == 10


def counted_by_torch(layer):
    """Of sums and differences it counts nothing; a partial convolution it counts as a whole one."""
    if layer.kind == "conv":
        inputs = layer.input_shape[0] * layer.config.kernel**2
        return inputs * prod(layer.output_shape)
    return layer.macs if layer.kind == "dense" else 0


@pytest.mark.parametrize(
    ("kind", "function"),
    [
        ("sigmoid", torch.sigmoid),
        ("tanh", torch.tanh),
        ("scaled_tanh", lambda x: 1.7159 * torch.tanh(2 / 3 * x)),
        ("relu", torch.relu),
        ("leaky_relu", nn.functional.leaky_relu),
        ("elu", nn.functional.elu),
        ("gelu", nn.functional.gelu),
        ("silu", nn.functional.silu),
    ],
)
def test_an_activation_is_the_function_of_its_name(kind, function):
    net = build_model(ModelSpec(activation=kind), seed=0)
    values = torch.linspace(-3, 3, 50)
    for name in ("act1", "act2", "act3", "act4"):
        assert torch.equal(net.get_submodule(name)(values), function(values))


def test_the_padded_pool_of_the_chapters_code_counts_its_zeros():
    pool = build_model(ModelSpec(pool=D2L_JAVA), seed=0).pool1
    images = torch.rand(3, 6, 28, 28)
    assert torch.equal(pool(images), nn.AvgPool2d(5, 2, 2, count_include_pad=True)(images))
    corner = images[:, :, :3, :3].sum((2, 3)) / 25
    torch.testing.assert_close(pool(images)[:, :, 0, 0], corner)


def test_a_max_pool_never_takes_its_padding():
    pool = build_model(ModelSpec(pool=Pool(kind="max", size=5, stride=2, padding=2)), seed=0).pool1
    images = -torch.rand(1, 6, 28, 28) - 1
    assert pool(images).max() < 0
    assert torch.equal(pool(images)[:, :, 0, 0], images[:, :, :3, :3].amax((2, 3)))


def test_dropout_comes_before_each_dense_layer():
    net = build_model(ModelSpec(dropout=0.25), seed=0)
    names = [name for name, _ in net.named_children()]
    for dropout, dense in (("dropout1", "dense1"), ("dropout2", "dense2"), ("dropout3", "output")):
        assert names[names.index(dropout) + 1] == dense
        assert net.get_submodule(dropout).p == 0.25


def test_the_same_seed_gives_the_same_weights():
    model = ModelSpec(norm="batch", bias_init="torch")
    one, same, other = (build_model(model, seed).state_dict() for seed in (4, 4, 5))
    assert all(torch.equal(one[name], same[name]) for name in one)
    drawn = [name for name in one if name.startswith(("conv", "dense", "output"))]
    assert not any(torch.equal(one[name], other[name]) for name in drawn)


def test_seeds_that_share_their_last_32_bits_give_other_weights():
    # torch's generator of the CPU takes 32 bits of a seed
    seeds = (7, 7 + 2**32, 7 + 2**33, 7 + 2**62, 2**63 - 1, 2**32 - 1)
    weights = {build_model(ModelSpec(), seed).conv1.weight[0, 0, 0, 0].item() for seed in seeds}
    assert len(weights) == len(seeds)


def test_seeds_of_32_bits_are_torchs_own():
    torch.manual_seed(2**32 - 1)
    expected = nn.Conv2d(1, 6, 5, padding=2).weight
    assert torch.equal(build_model(ModelSpec(init="torch"), seed=2**32 - 1).conv1.weight, expected)


@pytest.mark.parametrize("init", ["xavier_uniform", "torch"])
def test_the_global_generator_is_neither_read_nor_changed(init):
    model = ModelSpec(init=init)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = build_model(model, seed=0).output.weight
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(build_model(model, seed=0).output.weight, one)


def test_windows_that_are_not_square_leave_the_plans_shapes():
    convs = Conv(channels=6, kernel=(1, 5)), Conv(channels=8, kernel=(7, 3), padding=1)
    model = ModelSpec(conv=convs)
    image = torch.zeros(1, 1, 28, 28)
    for layer, module in zip(plan_layers(model), build_model(model, seed=0), strict=True):
        image = module(image)
        assert tuple(image.shape[1:]) == layer.output_shape
