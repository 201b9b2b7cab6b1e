"""The losses of LeCun et al. (1998), against plain formulas."""

import math

import pytest
import torch

from lenetctl.specs.schema import TrainingSpec
from lenetctl.training.objective.loss import mean_loss

DISTANCES = [[3.0, 0.5, 9.0], [2.0, 4.0, 1.0]]  # of two images from the codes of three classes
LABELS = torch.tensor([1, 0])
LOGITS = -torch.tensor(DISTANCES)


def test_squared_distance_is_that_of_the_right_class():
    loss = mean_loss(TrainingSpec(loss="squared_distance"))
    assert loss(LOGITS, LABELS).item() == (0.5 + 2.0) / 2


@pytest.mark.parametrize("j", [0.1, 1.0, 20.0])
def test_equation_9(j):
    expected = [
        row[label] + math.log(math.exp(-j) + sum(math.exp(-y) for y in row))
        for row, label in zip(DISTANCES, LABELS, strict=True)
    ]
    found = mean_loss(TrainingSpec(rubbish=j))(LOGITS, LABELS)
    assert found.item() == pytest.approx(sum(expected) / 2, rel=1e-6)


def test_a_class_that_is_further_than_rubbish_is_hardly_pushed_away():
    logits = LOGITS.clone().requires_grad_()
    mean_loss(TrainingSpec(rubbish=0.1))(logits, LABELS).backward()
    assert logits.grad[0, 2] < 1e-4 < logits.grad[0, 0]


def test_any_other_is_torchs_cross_entropy():
    for smoothing in (0.0, 0.1):
        loss = mean_loss(TrainingSpec(label_smoothing=smoothing))
        expected = torch.nn.functional.cross_entropy(LOGITS, LABELS, label_smoothing=smoothing)
        assert loss(LOGITS, LABELS).equal(expected)
