import pytest

from lenetctl.training import metrics


@pytest.mark.parametrize("metric", ["train/loss", "best/validation/loss", "epoch_seconds"])
def test_of_losses_and_seconds_the_lowest_is_best(metric):
    assert metrics.lowest_is_best(metric)


@pytest.mark.parametrize("metric", ["test/accuracy", "final/test/accuracy", "examples_per_second"])
def test_of_all_else_the_highest(metric):
    assert not metrics.lowest_is_best(metric)


def test_the_names_of_a_split_are_the_constants():
    assert metrics.loss_of("train") == metrics.TRAIN_LOSS
    assert metrics.loss_of("validation") == metrics.VALIDATION_LOSS
    assert metrics.accuracy_of("test") == metrics.TEST_ACCURACY
