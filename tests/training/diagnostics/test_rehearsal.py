from math import exp, inf, log

import pytest
import torch

from lenetctl.data.dataset import load_dataset
from lenetctl.data.device import DeviceSplit
from lenetctl.specs.schema import Spec
from lenetctl.training.diagnostics.expected_fall import Outlook
from lenetctl.training.diagnostics.rehearsal import ENOUGH, STEPS, Rehearsal, rehearse
from lenetctl.training.metrics import GUESSING

AT_GUESSING = log(10)


def rehearsed(model=(), epochs=5, schedule="constant", loss="cross_entropy", **optimizer):
    spec = Spec.model_validate(
        {
            "name": "quick",
            "data": {"dataset": "digits", "batch_size": 32},
            "model": {"activation": "relu", "dropout": 0.2, **dict(model)},
            "training": {
                "epochs": epochs,
                "optimizer": {"kind": "sgd", **optimizer},
                "schedule": {"kind": schedule},
                "loss": loss,
            },
        }
    )
    return rehearse(spec, DeviceSplit(load_dataset(spec.data).train, "cpu"))


def of(halfway, after, loss=AT_GUESSING, total=10 * STEPS):
    return Rehearsal(STEPS, total, loss, Outlook(AT_GUESSING, halfway), Outlook(AT_GUESSING, after))


def test_a_usual_rate_learns_and_draws_nothing():
    before = torch.get_rng_state()
    found = rehearsed(lr=0.05, epochs=20)
    assert torch.equal(torch.get_rng_state(), before)
    assert (found.steps, found.total) == (STEPS, 20 * 45)
    assert found.loss < 1
    assert not found.stays_at_guessing


@pytest.mark.parametrize(
    "optimizer", [{"lr": 1e30}, {"lr": 10.0}, {"kind": "adam", "lr": 1.0}, {"lr": 1e-7}]
)
def test_too_large_and_too_small_a_rate_stay_at_guessing(optimizer):
    assert rehearsed(**optimizer).stays_at_guessing


def test_too_many_sigmoids_stay_at_guessing():
    deep = {"activation": "sigmoid", "dense": [32] * 4, "dropout": 0.0}
    assert rehearsed(deep, lr=0.9).stays_at_guessing


def test_it_goes_through_the_whole_schedule():
    # one cycle meets its highest rate in steps that a training so long never does at its beginning
    assert rehearsed(epochs=1000, schedule="one_cycle", lr=1e30).loss == inf


def test_a_training_of_few_steps_is_rehearsed_whole():
    found = rehearsed(epochs=2, lr=1e-7)
    assert found.steps == found.total == 90
    assert found.to_come == 0
    assert found.stays_at_guessing


def test_what_is_to_come_grows_and_fades_with_the_steps():
    assert of(0.01, 0.01).to_come == pytest.approx(0.009)
    # a factor e in half of the rehearsal: 18 times in the rest
    assert of(0.01, 0.01 * exp(1 / 9)).to_come == pytest.approx(
        0.009 * exp(1 / 9) * (exp(2) - 1) / 2
    )
    assert of(0.01, 0.01 / exp(1)).to_come < 0.009 / exp(1) / 17
    assert of(1e-30, 1.0).to_come == AT_GUESSING
    assert of(0.0, 0.0).to_come == 0


def test_the_needed_fall_decides():
    assert of(0.0, 0.0).needed == pytest.approx(0.02)
    level = 0.02 * ENOUGH / 0.9
    assert of(level * 0.99, level * 0.99).stays_at_guessing
    assert not of(level * 1.01, level * 1.01).stays_at_guessing
    # biases that are thrown to and fro do not count as long as all images get one answer
    assert of(0.0, 0.0, loss=2.6).needed == pytest.approx(0.02)


def test_a_net_that_tells_classes_apart_is_judged_by_its_loss():
    apart = Outlook(1.5, 0.1)
    assert Rehearsal(STEPS, STEPS, GUESSING - 0.01, apart, apart).expected_share == inf
    assert Rehearsal(STEPS, STEPS, 3.0, apart, apart).stays_at_guessing


def test_with_a_loss_of_another_unit_answers_decide():
    confused = Outlook(5.8, 0.1)  # logits that are distances
    assert Rehearsal(STEPS, STEPS, 30.0, confused, confused, told_apart=True).expected_share == inf
    assert Rehearsal(STEPS, STEPS, 30.0, confused, confused, told_apart=False).stays_at_guessing
    begun = Outlook(2.2, 0.1)  # whatever the loss is
    assert Rehearsal(STEPS, STEPS, 30.0, begun, begun, told_apart=False).expected_share == inf


def test_a_distance_that_only_biases_lower_has_not_left_guessing():
    deep = {"activation": "sigmoid", "dense": [32, 32, 32, 4], "dropout": 0.0}
    codes = {"output_codes": [f"{n:04b}".replace("0", ".").replace("1", "#") for n in range(10)]}
    found = rehearsed(deep | codes, lr=0.1, loss="squared_distance")
    assert found.loss < 4.2  # before the first step it is 5.9
    assert found.told_apart is False
    assert found.stays_at_guessing
    assert not rehearsed(
        codes | {"dense": [4], "activation": "tanh"}, lr=0.01, loss="squared_distance"
    ).stays_at_guessing
