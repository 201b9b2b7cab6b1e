"""A fleet's models beside the same models trained alone."""

from typing import get_args

import pytest
import torch
from helpers.equality import CLOCK, Waits

from lenetctl.data.device import DeviceDataset
from lenetctl.errors import DivergedError
from lenetctl.specs.schema import Activation
from lenetctl.training import checkpoint
from lenetctl.training.device import numerics
from lenetctl.training.fleet.key import fleet_refusal
from lenetctl.training.fleet.loop import train_fleet
from lenetctl.training.loop import train
from lenetctl.training.state import initial_state
from lenetctl.training.steps import eager

CPU = torch.device("cpu")
SGD = {"lr": 0.1, "momentum": 0.9}
DRAWN = [{"kind": "flip"}, {"kind": "shift"}, {"kind": "erase"}]
EVERYTHING = {
    "data": {"augment": [{"kind": "affine"}, *DRAWN]},
    "model": {"norm": "batch", "dropout": 0.3, "pool": {"kind": "max"}},
    "optimizer": SGD,
    "label_smoothing": 0.1,
    "ema": 0.9,
}


def sgd(**others):
    return {"optimizer": {"lr": 0.1, **others}}


def adam(kind, **others):
    return {"optimizer": {"kind": kind, "lr": 0.01, **others}}


def normed_1x1(channels, activation):
    """Batch norm of 1×1 maps, as behind LeNet-5's C5."""
    convs = [{"channels": 3, "kernel": 5, "stride": 3}, {"channels": channels, "kernel": 8}]
    return {"conv": convs, "pool": {"kind": "none"}, "norm": "batch", "activation": activation}


# what differs between the three models of a fleet, beside their seeds
FLEETS = {
    "rates": [sgd(), sgd(lr=0.05), sgd(lr=0.3)],
    "momentum": [sgd(), sgd(momentum=0.9), sgd(momentum=0.5, nesterov=True, weight_decay=0.01)],
    "decay": [sgd(), sgd(weight_decay=0.01), sgd(weight_decay=0.1)],
    "adam": [
        adam("adam"),
        adam("adam", betas=[0.8, 0.9]),
        adam("adam", eps=1e-3, weight_decay=0.1),
    ],
    "adamw": [adam("adamw"), adam("adamw", lr=0.02), adam("adamw", weight_decay=0.1)],
    "schedules": [
        {"schedule": {"kind": "constant", "warmup": 1.5}},
        {"schedule": {"kind": "cosine"}},
        {"schedule": {"kind": "one_cycle"}, "optimizer": SGD},
    ],
    "averages": [{"ema": 0.5}, {"ema": 0.9}, {"ema": 0.99}],
    "clipping": [{"clip_norm": 0.05}, {"clip_norm": 0.5}, {}],
    "smoothing": [{}, {"label_smoothing": 0.1}, {"label_smoothing": 0.4}],
    "augmentation": [{"data": {"augment": DRAWN, "normalize": "standard"}}] * 3,
    "batch norm": [{"model": {"norm": "batch"}, "ema": 0.9}] * 3,
    "dropout": [{"model": {"dropout": share}} for share in (0.1, 0.3, 0.5)],
    "starts": [{"model": {"init": init}} for init in ("torch", "lecun", "kaiming_normal")],
    "epochs": [{"epochs": 2}, {"epochs": 1}, {"epochs": 3}],
    "max pools": [{"model": {"pool": {"kind": "max"}}}] * 3,
    **{
        kind: [{"model": {"activation": kind}}] * 3
        for kind in ("sigmoid", "tanh", "leaky_relu", "elu", "gelu", "silu")
    },
    "no bias": [{"model": {"conv": [{"channels": 3, "kernel": 5, "bias": False}]}}] * 3,
    "not square": [{"model": {"conv": [{"channels": 3, "kernel": [2, 7]}]}}] * 3,
    "no convolution": [{"model": {"conv": []}}] * 3,
    "one channel": [{"model": {"conv": [{"channels": 1, "kernel": 5}], "norm": "batch"}}] * 3,
    **{
        f"1×1 maps of {channels}, {kind}": [{"model": normed_1x1(channels, kind)}] * 3
        for channels in (1, 4)
        for kind in get_args(Activation)
    },
}


@pytest.fixture
def compare(dataset):
    """Train specs together and alone; return the states, the results, and the splits of both."""

    def double(state):
        state.net.double()
        state.ema = state.ema and {name: value.double() for name, value in state.ema.items()}
        return state

    def begin(specs, dtype=torch.float32, device=CPU):
        splits = DeviceDataset.of(dataset, specs[0].data, device)
        states = [initial_state(spec, device) for spec in specs]
        if dtype == torch.float64:
            for split in (splits.train, splits.validation, splits.test):
                split.pixels = split.pixels.double()
            states = [double(state) for state in states]
        return states, splits

    def compare(specs, rtol, atol, dtype=torch.float32, device=CPU):
        together, splits = begin(specs, dtype, device)
        alone, _ = begin(specs, dtype, device)
        members = dict(enumerate(zip(together, specs, strict=True)))
        outcomes = list(train_fleet(members, splits))
        for n, (state, spec) in enumerate(zip(alone, specs, strict=True)):
            step = eager(state.net, state.optimizer, spec)
            results = list(train(state, step, splits, spec))
            assert_close(together[n].tensors(), state.tensors(), rtol, atol)
            same_results([one[n] for one in outcomes if n in one], results, max(rtol, 1e-6))

    compare.begin = begin
    return compare


def assert_close(found, expected, rtol, atol):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=rtol, atol=atol)


def same_results(found, expected, rtol):
    assert [(r.epoch, r.is_best) for r in found] == [(r.epoch, r.is_best) for r in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.metrics.keys() == other.metrics.keys()
        for name in one.metrics.keys() - CLOCK:
            assert one.metrics[name] == pytest.approx(other.metrics[name], rel=rtol, abs=1e-9)


@pytest.mark.parametrize("kind", FLEETS)
def test_each_model_is_that_trained_alone(tiny, compare, kind):
    specs = [tiny(seed=seed, **kwargs) for seed, kwargs in enumerate(FLEETS[kind])]
    assert [fleet_refusal(spec) for spec in specs] == [""] * 3
    compare(specs, rtol=1e-10, atol=1e-13, dtype=torch.float64)


def test_all_at_once_in_single_precision(tiny, compare):
    compare([tiny(seed=seed, **EVERYTHING) for seed in range(3)], rtol=1e-3, atol=1e-5)


def test_bf16_comes_as_close_as_it_can(tiny, compare):
    specs = [tiny(seed=seed, epochs=1, precision="bf16") for seed in range(2)]
    compare(specs, rtol=0.02, atol=0.01)


def test_a_model_that_diverges_leaves_and_harms_no_other(tiny, compare):
    rates = [0.1, 1e30, 0.05]
    specs = [tiny(seed=n, epochs=3, optimizer={"lr": lr}) for n, lr in enumerate(rates)]
    states, splits = compare.begin(specs)
    first, *later = train_fleet(dict(enumerate(zip(states, specs, strict=True))), splits)
    assert isinstance(first[1], DivergedError)
    assert "epoch 1" in str(first[1])
    assert [outcomes.keys() for outcomes in later] == [{0, 2}] * 2
    for n in (0, 2):
        (alone,), _ = compare.begin([specs[n]])
        step = eager(alone.net, alone.optimizer, specs[n])
        list(train(alone, step, splits, specs[n]))
        assert_close(states[n].tensors(), alone.tensors(), rtol=1e-4, atol=1e-6)


def test_patience_ends_one_model_alone(tiny, compare):
    patient = {"epochs": 4, "early_stopping": {"patience": 1}}
    specs = [tiny(optimizer={"lr": 1e-30}, **patient), tiny(epochs=4)]
    states, splits = compare.begin(specs)
    outcomes = list(train_fleet(dict(enumerate(zip(states, specs, strict=True))), splits))
    assert [set(one) for one in outcomes] == [{0, 1}, {0, 1}, {1}, {1}]
    assert (states[0].epoch, states[0].best_epoch) == (2, 1)
    again = train_fleet(dict(enumerate(zip(states, specs, strict=True))), splits)
    assert list(again) == []


@pytest.mark.parametrize("kind", ["batch norm", "adam"])
def test_models_come_from_runs_of_their_own_and_go_back(tiny, compare, tmp_path, kind):
    specs = [tiny(seed=n, **FLEETS[kind][0] | {"epochs": 4, "ema": 0.9}) for n in range(2)]
    whole, splits = compare.begin(specs, torch.float64)
    states, _ = compare.begin(specs, torch.float64)

    def trained(state, spec):
        return train(state, eager(state.net, state.optimizer, spec), splits, spec)

    next(trained(states[0], specs[0]))  # one epoch alone, while the other has none
    fleet = train_fleet(dict(enumerate(zip(states, specs, strict=True))), splits)
    results = [next(fleet), next(fleet)]
    assert [(one[0].epoch, one[1].epoch) for one in results] == [(2, 1), (3, 2)]
    for n, spec in enumerate(specs):
        path = tmp_path / f"{n}.safetensors"
        checkpoint.write_checkpoint(path, states[n].tensors())
        (resumed,), _ = compare.begin([spec], torch.float64)
        resumed.restore(checkpoint.read_checkpoint(path).tensors)
        for name in ("epoch", "best_epoch", "best_accuracy"):
            setattr(resumed, name, getattr(states[n], name))
        list(trained(resumed, spec))
        list(trained(whole[n], spec))
        assert_close(resumed.tensors(), whole[n].tensors(), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("batch_size", [60, 5])
def test_no_waiting_within_an_epoch(tiny, compare, monkeypatch, batch_size):
    drawn = {"batch_size": batch_size, "augment": [{"kind": "shift"}]}
    specs = [tiny(data=drawn, model={"dropout": 0.1}, ema=0.9, seed=n) for n in range(2)]
    states, splits = compare.begin(specs)
    epochs = train_fleet(dict(enumerate(zip(states, specs, strict=True))), splits)
    called = []
    for name in ("cpu", "tolist", "numpy"):
        own = getattr(torch.Tensor, name)
        monkeypatch.setattr(
            torch.Tensor, name, lambda *args, name=name, own=own: called.append(name) or own(*args)
        )
    with Waits() as waits:
        next(epochs)
    # the means of training, then losses and confusions of the evaluation, however many steps
    assert called == ["cpu", "tolist", "cpu", "tolist", "cpu", "numpy"]
    assert waits.count == 0


@pytest.mark.gpu
def test_on_cuda_each_model_is_that_trained_alone(tiny, compare):
    specs = [tiny(seed=seed, **EVERYTHING) for seed in range(3)]
    with numerics(specs[0].training):
        compare(specs, rtol=1e-3, atol=1e-4, device=torch.device("cuda"))


@pytest.mark.gpu
def test_cuda_gives_the_same_bits_twice(tiny, compare):
    specs = [tiny(seed=seed, **EVERYTHING) for seed in range(3)]
    with numerics(specs[0].training):
        one, other = (compare.begin(specs, device=torch.device("cuda")) for _ in "ab")
        for states, splits in (one, other):
            list(train_fleet(dict(enumerate(zip(states, specs, strict=True))), splits))
    for a, b in zip(one[0], other[0], strict=True):
        assert_close(a.tensors(), b.tensors(), rtol=0, atol=0)
