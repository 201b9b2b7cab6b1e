from types import SimpleNamespace

import pytest
import torch

from lenetctl.data.dataset import load_dataset
from lenetctl.data.device import DeviceSplit
from lenetctl.specs.schema import Spec
from lenetctl.training.diagnostics import range_test as module
from lenetctl.training.diagnostics.range_test import HIGHEST, LOWEST, STEPS, RangeTest, range_test

FALLS_AND_RISES = (2.5,) * 20 + (2.5, 2.4, 1.8, 1.5, 1.6, 2.1, 3.0)
RATES = tuple(10.0**n for n in range(-20, 7))


@pytest.fixture(scope="module")
def tested():
    spec = Spec.model_validate(
        {
            "name": "quick",
            "data": {"dataset": "digits", "batch_size": 64},
            "model": {"activation": "relu", "dropout": 0.2},
        }
    )
    split = DeviceSplit(load_dataset(spec.data).train, "cpu")
    before = torch.get_rng_state()
    found = range_test(spec, split)
    assert torch.equal(torch.get_rng_state(), before)
    assert range_test(spec, split) == found
    return found


def test_rates_rise_by_one_factor_from_the_lowest(tested):
    assert len(tested.rates) == len(tested.losses) <= STEPS
    assert tested.rates[0] == LOWEST
    factor = (HIGHEST / LOWEST) ** (1 / (STEPS - 1))
    assert tested.rates[1] / tested.rates[0] == pytest.approx(factor)


def test_relu_nets_learn_digits_at_a_usual_rate(tested):
    assert tested.left_guessing
    assert 0.01 < tested.suggestion < 1
    assert tested.steepest <= tested.largest_stable < HIGHEST


def test_what_a_curve_says():
    found = RangeTest(RATES, FALLS_AND_RISES, diverged=True)
    assert found.steepest == RATES[21]  # from 2.4 to 1.8
    assert found.largest_stable == RATES[24]  # at 2.1 more than half of the fall is given back
    assert found.suggestion == pytest.approx(RATES[23] / 3, rel=0.02)


@pytest.mark.parametrize(
    ("activation", "dense", "left"), [("tanh", [4], True), ("sigmoid", [32, 32, 32, 4], False)]
)
def test_of_a_distance_answers_say_whether_it_left_guessing(activation, dense, left):
    codes = [f"{n:04b}".replace("0", ".").replace("1", "#") for n in range(10)]
    spec = Spec.model_validate(
        {
            "name": "codes",
            "data": {"dataset": "digits", "batch_size": 32},
            "model": {"activation": activation, "dense": dense, "output_codes": codes},
            "training": {"loss": "squared_distance"},
        }
    )
    found = range_test(spec, DeviceSplit(load_dataset(spec.data).train, "cpu"))
    assert min(found.losses) < 0.8 * found.losses[0]  # of both, by the biases alone
    assert found.left_guessing == left
    lowest = found.rates[found.losses.index(min(found.losses))]
    assert found.suggestion == pytest.approx(lowest / 3 / 3**found.failed, rel=0.05)


def test_a_loss_a_little_below_guessing_counts_more_than_rates_that_harm_nothing():
    losses = (5.6,) * 20 + (2.4, 2.32, 2.3, 2.29, 2.31, 2.32, 2.32)
    found = RangeTest(RATES, losses, diverged=False)
    assert found.largest_stable == RATES[-1]
    assert found.suggestion == pytest.approx(RATES[23] / 3, rel=0.02)


def test_where_nothing_is_learned_the_largest_stable_rate_is_suggested():
    found = RangeTest(RATES, (2.5,) * 20 + (2.4, 2.32, 2.31, 2.31, 2.4, 2.5, 2.5), diverged=False)
    assert not found.left_guessing
    assert found.suggestion == found.largest_stable == RATES[24]


@pytest.mark.parametrize(("stands", "divided"), [(0.15, 1), (0.06, 3), (0.02, 9), (0.001, 1)])
def test_a_rate_that_spoils_the_net_in_a_rehearsal_is_not_suggested(monkeypatch, stands, divided):
    curve = RangeTest((0.01, 0.1, 0.45, 1.0), (2.3, 1.5, 1.0, 2.0), diverged=True)
    monkeypatch.setattr(module, "_curve", lambda spec, split: curve)
    tried = []

    def rehearsed(spec, split):
        tried.append(spec.training.optimizer.lr)
        return SimpleNamespace(stays_at_guessing=tried[-1] > stands)

    monkeypatch.setattr(module, "rehearse", rehearsed)
    found = range_test(Spec(name="a"), None)
    assert found.suggestion == float(f"{0.15 / divided:.2g}")
    assert tried == [0.15, 0.05, 0.017][: len(tried)]  # and where none of them stands, the first
