from collections.abc import Callable

import pytest
import torch

from lenetctl.data.dataset import Dataset, Split
from lenetctl.data.device import DeviceDataset
from lenetctl.specs.schema import Spec
from lenetctl.training.loop import train
from lenetctl.training.state import initial_state
from lenetctl.training.steps import eager


@pytest.fixture(autouse=True)
def _one_thread():
    """Nets this small are slower on more threads than one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def random_split(count, seed):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, 28, 28), generator=generator)
    return Split(images.to(torch.uint8), torch.randint(0, 10, (count,), generator=generator))


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """Noise: 60 images to train (four batches of 16, the last one of 12), 30 and 40 to measure."""
    train_split, validation, test = (random_split(n, seed=n) for n in (60, 30, 40))
    names = tuple("abcdefghij")
    return Dataset("noise", names, train_split, validation, test, "0" * 64, mean=0.5, std=0.29)


@pytest.fixture(scope="session")
def tiny() -> Callable[..., Spec]:
    """Make a spec of a net with a few hundred parameters: `tiny(epochs=3, ema=0.9)`."""

    def make(data=None, model=None, **training):
        conv = [{"channels": 3, "kernel": 5, "stride": 2}, {"channels": 4, "kernel": 3}]
        return Spec.model_validate(
            {
                "name": "tiny",
                "data": {"batch_size": 16, "validation": 30, **(data or {})},
                "model": {"conv": conv, "activation": "relu", "dense": [12], **(model or {})},
                "training": {"epochs": 2, "optimizer": {"lr": 0.1}, **training},
            }
        )

    return make


@pytest.fixture(scope="session")
def begin(dataset) -> Callable:
    """Return the state of a spec and the generator that trains it."""

    def begin(spec, state=None, device="cpu", on_progress=None, data=dataset):
        where = torch.device(device)
        state = state or initial_state(spec, where)
        step = eager(state.net, state.optimizer, spec)
        splits = DeviceDataset.of(data, spec.data, where)
        return state, train(state, step, splits, spec, on_progress)

    return begin


@pytest.fixture(scope="session")
def run(begin) -> Callable:
    """Train a spec to its end; return its state and results."""

    def run(spec, state=None, **options):
        state, epochs = begin(spec, state, **options)
        return state, list(epochs)

    return run
