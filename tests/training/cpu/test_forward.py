from typing import get_args

import pytest
import torch
from helpers.equality import assert_equal
from torch import nn
from torch.nn.functional import cross_entropy

from lenetctl.model.build import build_model
from lenetctl.specs.model import ModelSpec
from lenetctl.specs.schema import Activation, Spec
from lenetctl.training.cpu.compiler import compiled_library
from lenetctl.training.cpu.forward import compiled_forward, compiled_refusal
from lenetctl.training.cpu.layers import ActivatedPool, Convolution
from lenetctl.training.cpu.program import ACTIVATIONS, POOLS
from lenetctl.training.state import initial_state
from lenetctl.training.steps import compiled, eager

SIGMOID_AVG = ACTIVATIONS.index(nn.Sigmoid), POOLS.index(nn.AvgPool2d)
LENET = [{"channels": 6, "kernel": 5, "padding": 2}, {"channels": 16, "kernel": 5}]
NETS = {
    "the chapter's": {},
    "its code's pools": {"pool": {"kind": "avg", "size": 5, "stride": 2, "padding": 2}},
    "max pools": {"pool": {"kind": "max"}, "activation": "relu"},
    "overlapping max pools": {"pool": {"kind": "max", "size": 3, "stride": 2, "padding": 1}},
    "no activation": {"activation": "none"},
    "no pools": {"pool": {"kind": "none"}},
    **{
        f"torch's {kind}": {"activation": kind}
        for kind in ("tanh", "leaky_relu", "elu", "gelu", "silu")
    },
    "batch norm": {"norm": "batch", "activation": "relu", "pool": {"kind": "max"}},
    "no bias": {"conv": [{**one, "bias": False} for one in LENET]},
    "strides": {"conv": [{"channels": 7, "kernel": 4, "stride": 2, "padding": 1}, LENET[1]]},
    "many windows": {
        "conv": [
            {"channels": 9, "kernel": 1},
            {"channels": 5, "kernel": 3, "padding": 1, "stride": 2},
            {"channels": 17, "kernel": 7, "padding": 4},
        ],
        "pool": {"kind": "none"},
        "activation": "relu",
    },
}


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(96, 1, 28, 28, generator=generator)
    return images, torch.randint(0, 10, (96,), generator=generator)


def gradients(net, logits_of, images, labels):
    net.zero_grad()
    logits = logits_of(images)
    cross_entropy(logits, labels).backward()
    return [logits.detach(), *(parameter.grad.clone() for parameter in net.parameters())]


@pytest.mark.parametrize("model", NETS.values(), ids=NETS)
@pytest.mark.parametrize("count", [96, 41])
def test_logits_and_gradients_are_those_of_torch(batch, model, count):
    model = ModelSpec.model_validate({"conv": LENET} | model)
    assert compiled_refusal(Spec(name="a", model=model), torch.device("cpu")) == ""
    net = build_model(model, seed=3)
    images, labels = (part[:count] for part in batch)
    exact = gradients(net.double(), net, images.double(), labels)
    net.float()
    found = gradients(net, compiled_forward(net), images, labels)
    for one, other in zip(found, exact, strict=True):
        torch.testing.assert_close(one, other.float(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("blocks", [1, 2, 3])
@pytest.mark.parametrize("channels", [1, 6])
@pytest.mark.parametrize("pool", ["none", "max"])
@pytest.mark.parametrize("activation", get_args(Activation))
def test_batch_norm_of_1x1_maps_is_that_of_torch(activation, pool, channels, blocks):
    kernel = {"none": 8, "max": 3}[pool]  # of the maps that leave the first layers
    convs = [{"channels": 3, "kernel": 5, "stride": 3}, {"channels": channels, "kernel": kernel}]
    model = {"conv": convs, "pool": {"kind": pool}, "activation": activation, "norm": "batch"}
    net = build_model(ModelSpec.model_validate(model), seed=3)
    generator = torch.Generator().manual_seed(blocks)
    images = torch.rand(blocks * compiled_library().lanes(), 1, 28, 28, generator=generator)
    labels = torch.randint(0, 10, (len(images),), generator=generator)
    exact = gradients(net.double(), net, images.double(), labels)
    net.float()
    found = gradients(net, compiled_forward(net), images, labels)
    for one, other in zip(found, exact, strict=True):
        torch.testing.assert_close(one, other.float(), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("activation", ["sigmoid", "relu", "none"])
def test_extreme_values_and_ties_are_those_of_torch(activation):
    model = {"conv": LENET[:1], "pool": {"kind": "max"}, "activation": activation}
    net = build_model(ModelSpec.model_validate(model), seed=0)
    images = torch.zeros(32, 1, 28, 28)  # whole windows of equal values
    images[1], images[2] = 1e4, -1e4
    labels = torch.arange(32) % 10
    expected = gradients(net, net, images, labels)
    for one, other in zip(
        gradients(net, compiled_forward(net), images, labels), expected, strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_what_is_not_a_number_stays_visible(batch):
    net = build_model(ModelSpec(), seed=0)
    with torch.no_grad():
        net.conv1.weight[0, 0, 0, 0] = torch.nan
    assert compiled_forward(net)(batch[0]).isnan().any()


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_max_pool_passes_on_what_is_not_a_number(place, activation):
    lanes = compiled_library().lanes()
    window = torch.tensor([1.0, 3.0, 2.0, 4.0])
    window[place] = torch.nan
    x = window.reshape(1, 1, 2, 2, 1).repeat(1, 1, 1, 1, lanes).requires_grad_()
    pooled = ActivatedPool.apply(
        x, ACTIVATIONS.index(activation), POOLS.index(nn.MaxPool2d), 2, 2, 0
    )
    assert pooled.isnan().all()


def test_running_statistics_are_those_of_torch(batch):
    nets = [build_model(ModelSpec.model_validate({"norm": "batch"}), seed=0) for _ in "ab"]
    nets[0](batch[0])
    compiled_forward(nets[1])(batch[0])
    for one, other in zip(nets[0].buffers(), nets[1].buffers(), strict=True):
        torch.testing.assert_close(one, other)


def test_training_stays_close_to_eager_and_repeats_to_the_bit(tiny, batch):
    def trained(engine):
        spec = tiny(optimizer={"kind": "sgd", "lr": 0.1, "momentum": 0.9})
        state = initial_state(spec, torch.device("cpu"))
        step = engine(state.net, state.optimizer, spec)
        losses = [step(*batch)[0].item() for _ in range(20)]
        return losses, state.tensors()

    losses, tensors = trained(compiled)
    assert losses == pytest.approx(trained(eager)[0], rel=1e-4)
    assert_equal(trained(compiled)[1], tensors)


def test_the_bits_do_not_depend_on_threads(batch):
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        net = build_model(ModelSpec(), seed=0)
        x = (
            batch[0]
            .unflatten(0, (-1, compiled_library().lanes()))
            .permute(0, 2, 3, 4, 1)
            .contiguous()
        )
        out = Convolution.apply(x, net.conv1.weight, net.conv1.bias, 1, 2)
        ActivatedPool.apply(out, *SIGMOID_AVG, 2, 2, 0).square().sum().backward()
        found.append([out.detach(), net.conv1.weight.grad])
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))
