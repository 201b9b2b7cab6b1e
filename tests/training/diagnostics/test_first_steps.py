import pytest
import torch

from lenetctl.data.dataset import load_dataset
from lenetctl.data.device import DeviceSplit
from lenetctl.specs.schema import Spec
from lenetctl.training.diagnostics.first_steps import fall_after_first_steps


def fall(**optimizer):
    spec = Spec.model_validate(
        {
            "name": "quick",
            "data": {"dataset": "digits", "batch_size": 32},
            "model": {"activation": "relu", "dropout": 0.2},
            "training": {"epochs": 5, "optimizer": {"kind": "sgd", **optimizer}},
        }
    )
    return fall_after_first_steps(spec, DeviceSplit(load_dataset(spec.data).train, "cpu"))


def test_a_usual_rate_leaves_much_to_learn_and_draws_nothing():
    before = torch.get_rng_state()
    assert fall(lr=0.01) > 0.1
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("optimizer", [{"lr": 1e30}, {"lr": 10.0}, {"kind": "adam", "lr": 1.0}])
def test_too_large_a_rate_leaves_nothing(optimizer):
    assert fall(**optimizer) < 1e-3
