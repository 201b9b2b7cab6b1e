"""Second derivatives, against Hessians and Jacobians that autograd works out number by number."""

import pytest
import torch
from torch.autograd.functional import hessian, jacobian
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode

from lenetctl.data.device import DeviceSplit
from lenetctl.model.build import ACTIVATIONS, build_model
from lenetctl.model.modules import RbfOutput, Subsampling
from lenetctl.specs.schema import Conv, ModelSpec, Pool, TrainingSpec
from lenetctl.training.objective import curvature
from lenetctl.training.objective.curvature import curvatures, measure_before_epoch, slopes
from lenetctl.training.objective.loss import mean_loss
from lenetctl.training.state import initial_state

CODES = tuple(f"{n:04b}".replace("0", ".").replace("1", "#") for n in range(10))
LOSSES = {
    "cross_entropy": TrainingSpec(),
    "smoothed": TrainingSpec(label_smoothing=0.1),
    "rubbish": TrainingSpec(rubbish=3.0),
    "squared_distance": TrainingSpec(loss="squared_distance"),
}


@pytest.fixture(scope="module")
def images():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(3, 1, 28, 28, generator=generator), torch.tensor([3, 1, 7])


def net_of(**values):
    net = build_model(ModelSpec(bias_init="torch", **values), seed=0)
    return net.double()


def diagonal(net, name, loss, images, labels):
    """The exact second derivatives by each number of a parameter, of the mean loss."""
    value = net.get_parameter(name).detach()
    found = hessian(lambda v: loss(functional_call(net, {name: v}, images), labels), value)
    return found.reshape(value.numel(), -1).diagonal().view_as(value)


@pytest.mark.parametrize(
    ("loss", "codes"),
    [("cross_entropy", None), ("smoothed", None), ("squared_distance", CODES)],
)
def test_without_hidden_layers_they_are_the_exact_ones(loss, codes, images):
    small = images[0][..., ::7, ::7].double().contiguous()  # 4×4
    layers = (
        {"dense": (4,), "activation": "none", "output_codes": codes} if codes else {"dense": ()}
    )
    model = ModelSpec(conv=(), **layers)
    net = torch.nn.Sequential()
    for name, module in build_model(model, seed=0).named_children():
        first = isinstance(module, torch.nn.Linear) and module.in_features == 784
        net.add_module(name, torch.nn.Linear(16, module.out_features) if first else module)
    net.double()
    of = mean_loss(LOSSES[loss])
    for (name, _), found in zip(
        net.named_parameters(), curvatures(net, of, small, images[1]), strict=True
    ):
        torch.testing.assert_close(found, diagonal(net, name, of, small, images[1]))


# every kind of layer that second derivatives pass
NETS = {
    "lenet5": {
        "conv": (
            Conv(channels=2, kernel=5, padding=1, padding_value=-0.4, stride=2, unit_bias=True),
            Conv(channels=3, kernel=3, connections=((0,), (1,), (0, 1))),
        ),
        "pool": Pool(kind="subsample"),
        "activation": "scaled_tanh",
        "dense": (5, 4),
        "output_codes": CODES,
    },
    "avg": {
        "conv": (Conv(channels=2, kernel=5, stride=3),),
        "pool": Pool(size=3, stride=2, padding=1),
        "dense": (4,),
    },
    "max": {
        "conv": (Conv(channels=2, kernel=5, stride=3, bias=False),),
        "pool": Pool(kind="max"),
        "activation": "relu",
        "dense": (4,),
        "dropout": 0.5,
    },
}


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("lenet5", "squared_distance"),
        ("lenet5", "rubbish"),
        ("avg", "cross_entropy"),
        ("max", "smoothed"),
    ],
)
def test_they_are_passed_back_by_squared_jacobians(name, loss, images, monkeypatch):
    monkeypatch.setattr(curvature, "PARTS", 2)  # of three images
    net, of = net_of(**NETS[name]), mean_loss(LOSSES[loss])
    x, labels = images[0].double(), images[1]
    expected = [by_brute_force(net, of, x[[n]], labels[[n]]) for n in range(len(x))]
    found = curvatures(net, of, x, labels)
    for (key, _), value in zip(net.named_parameters(), found, strict=True):
        torch.testing.assert_close(value, sum(one[key] for one in expected) / len(x), msg=key)
    assert all(value.min() >= 0 for value in found)
    assert all(value.max() > 0 for value in found)


def by_brute_force(net, loss, image, label):
    """Appendix C with every derivative from autograd's Jacobians of one image."""
    inputs, x = {}, image
    for name, module in net.named_children():
        inputs[name] = x
        x = x if isinstance(module, torch.nn.Dropout) else module(x)
    first = jacobian(lambda z: loss(z, label), x)
    second = hessian(lambda z: loss(z, label), x).reshape(10, 10).diagonal()
    found = {}
    for name, module in reversed(list(net.named_children())):
        x = inputs[name].detach()
        if isinstance(module, torch.nn.Dropout):
            continue
        for key, value in module.named_parameters():
            found[f"{name}.{key}"] = (by_connection(module, key, value.detach(), x) * second).sum(
                -1
            )
        by_x = jacobian(module, x).reshape(len(second), -1)  # (outputs, inputs)
        own = torch.zeros(by_x.shape[1], dtype=by_x.dtype)
        if isinstance(module, RbfOutput):  # its own second derivatives: -2 of each output
            own = -2 * first.sum() * torch.ones_like(own)
        second = by_x.square().T @ second + own
    return found


def by_connection(module, key, value, x):
    """Squared derivatives of the outputs, (…, outputs), summed over connections of one output."""
    if isinstance(module, Subsampling) and key == "weight":  # one weight of four connections
        windows = x.unfold(2, 2, 2).unfold(3, 2, 2).square().sum((-1, -2))  # (1, C, H', W')
        return torch.stack(
            [windows * (torch.arange(len(value)) == c).view(-1, 1, 1) for c in range(len(value))]
        ).flatten(1)
    found = jacobian(lambda v: functional_call(module, {key: v}, x).flatten(), value)
    return found.square().movedim(0, -1)


SDLM = {"kind": "sdlm", "lr": 0.01, "samples": 20}


def test_step_sizes_are_measured_before_each_epoch(tiny, run, dataset):
    spec = tiny(optimizer=SDLM, epochs=1)
    state, _ = run(spec)
    again = initial_state(spec, torch.device("cpu"))
    split = DeviceSplit(dataset.train, "cpu")
    measure_before_epoch(again.optimizer, again.net, spec.training, split, epoch=1)
    for one, other in zip(state.net.parameters(), again.net.parameters(), strict=True):
        assert state.optimizer.state[one]["scale"].equal(again.optimizer.state[other]["scale"])
    first = again.optimizer.state[again.net.conv1.weight]["scale"].clone()
    measure_before_epoch(again.optimizer, again.net, spec.training, split, epoch=2)
    assert not again.optimizer.state[again.net.conv1.weight]["scale"].equal(first)  # other images


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_slopes_are_finite_differences(kind):
    activation, at = ACTIVATIONS[kind](), torch.linspace(-4, 4, 80, dtype=torch.float64)
    expected = (activation(at + 1e-6) - activation(at - 1e-6)) / 2e-6
    torch.testing.assert_close(slopes(activation, at), expected, rtol=1e-4, atol=1e-6)


def test_nothing_is_passed_back_to_the_images(images):
    called = set()

    class Recorder(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            called.add(str(function))
            return function(*args, **(kwargs or {}))

    net = build_model(ModelSpec(input_side=16, conv=(Conv(channels=2, kernel=5),)), seed=0)
    with Recorder():
        curvatures(net, mean_loss(TrainingSpec()), *images)
    assert "aten._upsample_bilinear2d_aa.default" in called
    # of which CUDA has none that is deterministic
    assert "aten._upsample_bilinear2d_aa_backward.default" not in called
