"""What a measurement points to, told with file, line and key."""

from dataclasses import replace

import pytest

from lenetctl import specs
from lenetctl.analysis.diagnosis.findings import LEAST_FALL, Beginning, find_causes
from lenetctl.specs.yaml import nearest_origin
from lenetctl.training.diagnostics.layers import LayerStatistics
from lenetctl.training.diagnostics.range_test import RangeTest

TEXT = """\
model:
  activation: sigmoid
training:
  optimizer:
    lr: 0.5
"""
# the loss falls until a rate of 0.1, and is back at a rate of 10
TESTED = RangeTest((0.001, 0.01, 0.1, 1.0, 10.0), (2.3, 2.0, 1.0, 1.1, 2.3), diverged=False)
LAYER = LayerStatistics("conv1", 0.5, 0.1, 0.0, 0.0, (), 0.001, 0.002, 0.01, 5.0)


@pytest.fixture
def causes(tmp_path):
    file = tmp_path / "deep.yaml"
    file.write_text(TEXT)

    def find(*falls, after=1.0, overrides=(), layer=LAYER):
        beginnings = [Beginning(seed, [layer], fall) for seed, fall in enumerate(falls)]
        spec, origins = specs.load_with_origins(file, overrides)
        found = find_causes(
            spec, beginnings, after, TESTED, lambda key: nearest_origin(origins, key, str(file))
        )
        return [str(finding).removeprefix(f"{tmp_path}/") for finding in found]

    return find


def test_a_spec_that_learns_has_none(causes):
    assert causes(LEAST_FALL, 1.0) == []


def test_a_rate_that_spoils_the_net_in_its_first_steps(causes):
    (told,) = causes(1.0, after=LEAST_FALL / 2, overrides=["training.optimizer.lr=3"])
    assert told.startswith("-s training.optimizer.lr=3: training.optimizer.lr: 3 is too large: ")
    assert told.endswith("; try -s training.optimizer.lr=0.05")
    assert causes(1.0, after=LEAST_FALL) == []


def test_a_rate_that_is_only_too_small(causes):
    (told,) = causes(LEAST_FALL / 100, overrides=["training.optimizer.lr=0.001"])
    assert "it will stay at guessing with seed 0:" in told
    assert told.endswith("; try -s training.optimizer.lr=0.2")


def test_a_signal_that_is_lost_on_the_way(causes):
    (told,) = causes(1e-5, 1.0, 1e-6)
    assert told.startswith("deep.yaml:2: model.activation: it will stay at guessing with seed 0, 2")
    assert "the gradient of conv1 is 0.002 of the last layer's" in told
    assert told.endswith(
        "; try -s model.init=kaiming_uniform or -s model.norm=batch "
        "or -s model.activation=tanh -s training.optimizer.lr=0.1"
    )


def test_no_signal_at_all(causes):
    (told,) = causes(0.0)
    assert "take 0 nats off" in told


def test_units_that_are_dead_before_training(causes):
    dead = replace(LAYER, dead=0.75, dead_units=(0, 1, 2))
    (told,) = causes(1.0, layer=dead)
    # the file has no key init: the line of the section counts
    assert told.startswith("deep.yaml:1: model.init: 3 units of conv1 are saturated for every")
