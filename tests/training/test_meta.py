"""Epochs on torch's `meta` device, which stands in for CUDA: it has shapes and no numbers.

So a tensor of another device that slips into an operation, and a number that is read, are errors
there, where a GPU would only be slow or a CPU would not notice.
"""

from collections import Counter
from contextlib import nullcontext

import pytest
import torch
from helpers.kinds import every_kind
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lenetctl.data.dataset import Split
from lenetctl.data.device import DeviceDataset, DeviceSplit
from lenetctl.training import cuda_graph, steps
from lenetctl.training.cuda_graph import CapturedGraph
from lenetctl.training.engines import ENGINES
from lenetctl.training.fleet.key import fleet_refusal
from lenetctl.training.fleet.loop import train_fleet
from lenetctl.training.fleet.steps import graphed_step
from lenetctl.training.loop import train
from lenetctl.training.state import initial_state

META, CUDA = torch.device("meta"), torch.device("cuda")
IMAGES = 12
BEFORE_THE_FIRST_STEP = {"data.dataset", "model.init", "model.bias_init"}
KINDS = [kind for kind in every_kind() if kind.key not in BEFORE_THE_FIRST_STEP]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
# where a loss and a confusion, or all of a fleet, are read: after the last step
AT_THE_END = {"train": ["cpu", "item", "cpu"], "fleet": ["cpu", "cpu", "cpu"]}


class Crossings(TorchDispatchMode):
    """Counts operations that take tensors of two devices, or bring a tensor to another one.

    On CUDA each is a copy for which the host waits. Scalars of the CPU are none: they travel with
    the kernel.
    """

    def __init__(self):
        super().__init__()
        self.counted = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        values = [v for v in tree_leaves((args, kwargs, result)) if isinstance(v, torch.Tensor)]
        if len({v.device.type for v in values if v.dim()}) > 1:
            self.counted[func.overloadpacket.__name__] += 1
        return result


class MetaGenerator(torch.Generator):
    """Says that it is of the device that has none: nothing is drawn there."""

    device = META


@pytest.fixture
def read(monkeypatch):
    """Let numbers be read from tensors without any; return how each was, in order."""
    calls = []

    def reading(name, answer):
        own = getattr(torch.Tensor, name)

        def called(tensor):
            if not tensor.is_meta:
                return own(tensor)
            calls.append(name)
            return answer(tensor)

        monkeypatch.setattr(torch.Tensor, name, called)

    reading("cpu", lambda tensor: torch.ones(tensor.shape, dtype=tensor.dtype))
    reading("item", lambda tensor: 1.0)
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())  # not on this device
    monkeypatch.setattr(DeviceSplit, "_generator", lambda *_: MetaGenerator())
    monkeypatch.setattr("lenetctl.training.fleet.dropout.Generator", lambda _: MetaGenerator())
    return calls


@pytest.fixture
def captured(monkeypatch):
    """Let a graph be its function, but for the optimizer: a kernel that this device lacks."""

    def capturable(optimizer):
        optimizer.step = lambda: None
        return cuda_graph.capturable(optimizer)

    monkeypatch.setattr(steps, "capturable", capturable)
    monkeypatch.setattr(cuda_graph, "warmed_up", lambda function, inputs: function(*inputs))
    monkeypatch.setattr(
        cuda_graph,
        "capture",
        lambda function, inputs: CapturedGraph(inputs, lambda: None, function(*inputs)),
    )


def splits():
    blank = torch.zeros(IMAGES, 28, 28, dtype=torch.uint8), torch.zeros(IMAGES, dtype=torch.int64)
    split = DeviceSplit(Split(*blank), META)
    return DeviceDataset(split, None, split)


def crossings(epoch):
    """Return what `epoch` brings from device to device."""
    with Crossings() as crossed:
        assert epoch() is not None
    return crossed.counted


def with_batch(spec, size):
    data = spec.data.model_copy(update={"batch_size": size})
    return spec.model_copy(update={"data": data})


@each_kind
@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "compiled"])
def test_an_epoch_stays_on_its_device_and_waits_once(kind, engine, read, captured):
    if ENGINES[engine].refusal(kind.spec, CUDA):
        pytest.skip(f"the {engine} engine refuses it")

    def epoch(size):
        spec = with_batch(kind.spec, size)
        state = initial_state(spec, META)
        step = ENGINES[engine].build_step(state.net, state.optimizer, spec)
        return lambda: next(train(state, step, splits(), spec))

    few, many = crossings(epoch(6)), crossings(epoch(2))
    assert few == many  # none of them is in a step
    assert read == AT_THE_END["train"] * 2


@each_kind
def test_an_epoch_of_a_fleet_does_too(kind, read, captured):
    if refusal := fleet_refusal(kind.spec):
        pytest.skip(refusal)

    def epoch(size):
        spec = with_batch(kind.spec, size)
        models = {n: (initial_state(spec, META), spec) for n in range(3)}
        return lambda: next(train_fleet(models, splits(), graphed_step))

    few, many = crossings(epoch(6)), crossings(epoch(2))
    assert few == many
    assert read == AT_THE_END["fleet"] * 2


class Stray(torch.nn.Module):
    """Brings a tensor of the CPU into every step."""

    def forward(self, features):
        return features + torch.ones(10).to(features.device)


class Curious(torch.nn.Module):
    """Reads a number in every step."""

    def forward(self, features):
        features.sum().item()
        return features


@pytest.mark.parametrize("layer", [Stray(), Curious()])
def test_a_step_that_leaves_the_device_is_found(layer, read):
    def epoch(size):
        spec = with_batch(KINDS[0].spec, size)
        state = initial_state(spec, META)
        step = ENGINES["eager"].build_step(state.net.append(layer), state.optimizer, spec)
        return lambda: next(train(state, step, splits(), spec))

    few, many = crossings(epoch(6)), crossings(epoch(2))
    assert few != many or read != AT_THE_END["train"] * 2
