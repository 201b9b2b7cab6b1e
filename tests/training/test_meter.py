import math
import time

import pytest
import torch

from lenetctl.training.meter import CompensatedSum, Meter

CPU = torch.device("cpu")


def add(meter, loss, correct, count):
    device = meter._sums.value.device
    meter.add(torch.tensor(loss, device=device), torch.tensor(correct, device=device), count)


def test_means_are_over_examples_and_not_over_batches():
    meter = Meter(CPU)
    add(meter, 1.0, 3, 6)
    add(meter, 4.0, 2, 2)
    assert meter.read() == (pytest.approx(14 / 8), pytest.approx(5 / 8))


def test_counts_stay_exact_over_many_batches():
    meter = Meter(CPU)
    for _ in range(1000):
        add(meter, 0.5, 59, 60)
    assert meter.read() == (0.5, pytest.approx(59 / 60, abs=1e-9))


def test_a_loss_that_is_no_number_stays_one():
    meter = Meter(CPU)
    add(meter, float("nan"), 0, 4)
    add(meter, 1.0, 4, 4)
    loss, accuracy = meter.read()
    assert math.isnan(loss)
    assert accuracy == 0.5


def test_nothing_is_seen_before_the_interval_is_over():
    meter = Meter(CPU)
    add(meter, 1.0, 1, 2)
    assert meter.peek() is None


def test_a_look_shows_the_means_and_starts_a_new_interval(monkeypatch):
    now = 100.0
    monkeypatch.setattr("lenetctl.training.meter.time.perf_counter", lambda: now)
    meter = Meter(CPU)
    add(meter, 1.0, 1, 2)
    now = 100.3
    assert meter.peek() == (1.0, 0.5)
    now = 100.4
    assert meter.peek() is None
    now = 100.6
    assert meter.peek() == (1.0, 0.5)


@pytest.mark.gpu
def test_on_cuda_a_look_comes_in_time_and_is_never_of_nothing(monkeypatch):
    monkeypatch.setattr("lenetctl.training.meter.INTERVAL", 0.0)
    meter = Meter(torch.device("cuda"))
    add(meter, 2.0, 1, 4)
    end = time.perf_counter() + 10
    while (seen := meter.peek()) is None:
        assert time.perf_counter() < end
    assert seen == (2.0, 0.25)
    assert meter.read() == (2.0, 0.25)


def test_sixty_thousand_small_numbers_add_up():
    total, terms = CompensatedSum(2, device=CPU), torch.tensor([0.1, 1.0])
    for _ in range(60_000):
        total.add(terms)
    exact = 60_000 * terms.double()
    torch.testing.assert_close(total.value.double(), exact, rtol=1e-7, atol=0)


def test_an_epoch_of_single_images_has_the_mean_of_its_losses():
    meter, loss, right = Meter(CPU), torch.tensor(0.1), torch.tensor(1)
    for _ in range(60_000):
        meter.add(loss, right, 1)
    assert meter.read() == (pytest.approx(0.1, rel=1e-7), 1.0)


@pytest.mark.parametrize("term", [float("nan"), float("inf")])
def test_what_is_not_finite_stays_so(term):
    total = CompensatedSum(device=CPU)
    for value in (1.0, term, 1.0):
        total.add(torch.tensor(value))
    assert not total.value.isfinite()
