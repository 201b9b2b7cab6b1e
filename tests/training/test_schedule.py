from math import cos, pi

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR, StepLR

from lenetctl.specs.schema import TrainingSpec
from lenetctl.training.schedule import learning_rate


def training(schedule, epochs=6, lr=0.9):
    section = {"epochs": epochs, "optimizer": {"lr": lr}, "schedule": schedule}
    return TrainingSpec.model_validate(section)


def rates(schedule, steps=7, **options):
    spec = training(schedule, **options)
    rate = learning_rate(spec, steps)
    return [rate(step) for step in range(spec.epochs * steps)]


def torch_rates(make, total, lr=0.9):
    sgd = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler = make(sgd)
    found = []
    for _ in range(total):
        found.append(sgd.param_groups[0]["lr"])
        sgd.step()
        scheduler.step() if len(found) < total else None
    return found


def close(expected):
    return pytest.approx(expected, rel=0, abs=1e-9)


def test_by_epoch_has_a_factor_for_each_epoch_and_keeps_the_last():
    found = rates({"kind": "by_epoch", "factors": [1, 0.4, 2]}, steps=2, epochs=5, lr=0.5)
    assert found == [0.5] * 2 + [0.2] * 2 + [1.0] * 6


@pytest.mark.parametrize("pct_start", [0.05, 0.3, 0.5, 0.99])
@pytest.mark.parametrize(("epochs", "steps"), [(1, 1), (1, 3), (6, 7), (10, 30)])
def test_one_cycle_is_torchs(pct_start, epochs, steps):
    total = epochs * steps
    options = {"pct_start": pct_start, "div_factor": 20.0, "final_div_factor": 300.0}
    expected = torch_rates(
        lambda sgd: OneCycleLR(sgd, 0.9, total_steps=total, cycle_momentum=False, **options), total
    )
    assert rates({"kind": "one_cycle", **options}, steps, epochs=epochs) == close(expected)


def test_one_cycle_whose_peak_is_its_first_step_begins_there():
    # torch divides by zero here
    found = rates({"kind": "one_cycle", "pct_start": 0.25}, steps=4, epochs=1)
    assert found[0] == close(0.9)
    assert found[3] == close(0.9 / 25 / 1e4)


@pytest.mark.parametrize(("step_size", "gamma"), [(1, 0.5), (2, 0.1), (4, 1.0), (99, 0.1)])
def test_step_is_torchs(step_size, gamma):
    expected = torch_rates(lambda sgd: StepLR(sgd, step_size * 7, gamma), 42)
    found = rates({"kind": "step", "step_size": step_size, "gamma": gamma})
    assert found == close(expected)


@pytest.mark.parametrize("eta_min", [0.0, 0.01])
def test_cosine_is_torchs(eta_min):
    expected = torch_rates(lambda sgd: CosineAnnealingLR(sgd, 42, eta_min), 42)
    assert rates({"kind": "cosine", "eta_min": eta_min}) == close(expected)


def test_steps_count_from_the_first_epoch_of_a_warmup():
    found = rates({"kind": "step", "step_size": 3, "gamma": 0.5, "warmup": 2})
    assert found[14:21] == [0.9] * 7
    assert found[21:] == [0.45] * 21


def test_constant_stays():
    assert rates({"kind": "constant"}) == [0.9] * 42


@pytest.mark.parametrize("kind", ["constant", "step", "cosine"])
def test_warmup_rises_linearly_to_the_whole_rate(kind):
    found = rates({"kind": kind, "warmup": 1.5}, steps=4)
    assert found[:6] == close([0.9 * n / 6 for n in (1, 2, 3, 4, 5, 6)])


def test_what_follows_a_warmup():
    # a step counts epochs from the first, half a cosine fills what the warmup left
    stepped = rates({"kind": "step", "step_size": 2, "gamma": 0.5, "warmup": 1}, steps=4)
    assert stepped[4:] == close([0.9] * 4 + [0.45] * 8 + [0.225] * 8)
    cosine = rates({"kind": "cosine", "warmup": 1}, steps=4)
    assert cosine[4:] == close([0.45 * (1 + cos(pi * n / 20)) for n in range(20)])


@pytest.mark.parametrize("kind", ["constant", "step", "cosine"])
def test_a_warmup_may_be_longer_than_the_run(kind):
    found = rates({"kind": kind, "warmup": 12}, epochs=6, steps=1)
    assert found == close([0.9 * n / 12 for n in range(1, 7)])


@pytest.mark.parametrize("kind", ["constant", "step", "cosine", "one_cycle"])
def test_the_rate_is_a_pure_function_of_the_step(kind):
    spec = training({"kind": kind})
    in_order, backwards = learning_rate(spec, 7), learning_rate(spec, 7)
    forth = [in_order(step) for step in range(42)]
    assert [backwards(step) for step in reversed(range(42))] == forth[::-1]
    assert [in_order(step) for step in range(42)] == forth
