"""What a measurement points to, told with file, line and key."""

from dataclasses import replace
from math import inf, log, nan

import pytest

from lenetctl import specs
from lenetctl.analysis.diagnosis.findings import Beginning, find_causes
from lenetctl.specs.yaml import nearest_origin
from lenetctl.training.diagnostics.expected_fall import Outlook
from lenetctl.training.diagnostics.layers import LayerStatistics
from lenetctl.training.diagnostics.range_test import RangeTest
from lenetctl.training.diagnostics.rehearsal import Rehearsal

TEXT = """\
model:
  activation: sigmoid
training:
  optimizer:
    lr: 0.5
"""
# the loss falls until a rate of 0.1, and is back at a rate of 10
TESTED = RangeTest((0.001, 0.01, 0.1, 1.0, 10.0), (2.3, 2.0, 1.0, 1.1, 2.3), diverged=False)
AT_GUESSING = log(10)
LAYER = LayerStatistics("conv1", 0.5, 0.1, 0.0, 0.0, (), 0.001, 0.002, 0.01, 5.0)


@pytest.fixture
def causes(tmp_path):
    file = tmp_path / "deep.yaml"
    file.write_text(TEXT)

    def find(rehearsed, fall=0.001, overrides=(), layer=LAYER, tested=TESTED):
        spec, origins = specs.load_with_origins(file, overrides)
        found = find_causes(
            spec,
            Beginning(0, [layer], fall),
            rehearsed,
            tested,
            lambda key: nearest_origin(origins, key, str(file)),
        )
        return [str(finding).removeprefix(f"{tmp_path}/") for finding in found]

    return find


def rehearsed(after, loss=AT_GUESSING):
    """Return one of half the training that ends with so much fall to expect, in nats."""
    ahead = Outlook(AT_GUESSING, after)
    return Rehearsal(100, 200, loss, ahead, ahead)


def test_a_spec_that_learns_has_none(causes):
    assert causes(rehearsed(1.0)) == []


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        (rehearsed(1e-5), "100 steps of the rehearsal leave a net that answers all images alike"),
        (rehearsed(nan, loss=inf), "100 steps of the rehearsal diverge"),
    ],
)
def test_a_rate_that_spoils_the_net(causes, spoilt, told):
    (found,) = causes(spoilt, fall=1.0, overrides=["training.optimizer.lr=3"])
    assert found == (
        "-s training.optimizer.lr=3: training.optimizer.lr: 3 is too large: "
        f"{told}; try -s training.optimizer.lr=0.033"
    )


def test_a_rate_that_is_only_too_small(causes):
    rate = ["training.optimizer.lr=0.001"]
    (found,) = causes(rehearsed(0.001), overrides=rate)
    assert (
        "it will stay at guessing with seed 0: 100 of its 200 steps end at a loss of 2.303" in found
    )
    assert "the others take 0.0005 nats off, where 0.06 are needed" in found
    assert found.endswith("; try -s training.optimizer.lr=0.033")  # what the range test suggests
    # the range test did not leave guessing: the fall of 0.001 grows with the rate
    stands = RangeTest(TESTED.rates, (2.4, 2.35, 2.31, 2.35, 2.36), diverged=False)
    (found,) = causes(rehearsed(0.001), overrides=rate, tested=stands)
    assert found.endswith("; try -s training.optimizer.lr=0.04")


def test_a_signal_that_is_lost_on_the_way(causes):
    (told,) = causes(rehearsed(1e-5), fall=1e-5)
    assert told.startswith("deep.yaml:2: model.activation: it will stay at guessing with seed 0: ")
    assert "the gradient of conv1 is 0.002 of the last layer's" in told
    assert told.endswith(
        "; try -s model.init=kaiming_uniform or -s model.norm=batch "
        "or -s model.activation=tanh -s training.optimizer.lr=0.1"
    )


def test_what_the_spec_would_refuse_is_no_remedy(causes):
    second_order = ["training.optimizer={kind: sdlm, lr: 0.5}"]  # does not go with batch norm
    (told,) = causes(rehearsed(1e-5), fall=1e-5, overrides=second_order)
    assert told.endswith("; try -s model.init=kaiming_uniform or -s model.activation=tanh")
    nothing_left = ["model.init=kaiming_normal", "model.activation=tanh", "training.devices=2"]
    (told,) = causes(rehearsed(1e-5), fall=1e-5, overrides=nothing_left)
    assert told.endswith("of the last layer's")


def test_no_signal_at_all(causes):
    (told,) = causes(rehearsed(0.0), fall=0.0)
    assert "take 0 nats off" in told


def test_units_that_are_dead_before_training(causes):
    dead = replace(LAYER, dead=0.75, dead_units=(0, 1, 2))
    (told,) = causes(rehearsed(1.0), layer=dead)
    # the file has no key init: the line of the section counts
    assert told.startswith("deep.yaml:1: model.init: 3 units of conv1 are saturated for every")
