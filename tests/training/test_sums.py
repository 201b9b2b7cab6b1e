import pytest
import torch

from lenetctl.training.meter import Meter
from lenetctl.training.sums import CompensatedSum

CPU = torch.device("cpu")


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
