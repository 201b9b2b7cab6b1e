"""What differs between specs, and between groups of them."""

import pytest

from lenetctl import specs
from lenetctl.specs import Spec
from lenetctl.specs.differences import (
    common_values,
    difference_text,
    differing_keys,
    keys_between,
    settings,
    short_key,
    unusual_settings,
    usual_values,
)

EPOCHS, LR, SEED, KIND = (
    "training.epochs",
    "training.optimizer.lr",
    "training.seed",
    "model.pool.kind",
)
AVG, MAX, NO_POOL = {EPOCHS: 1, KIND: "avg"}, {EPOCHS: 1, KIND: "max"}, {EPOCHS: 1}


def flat(**sections):
    return specs.flatten(Spec.model_validate({"name": "x", **sections}))


def test_keys_of_which_one_spec_has_another_value_or_none():
    adam = flat(training={"optimizer": {"kind": "adam", "lr": 0.9}})
    assert differing_keys([flat(), flat()]) == []
    assert differing_keys([AVG, MAX, AVG]) == [KIND]
    assert differing_keys([AVG, NO_POOL]) == [KIND]
    assert [key.removeprefix("training.optimizer.") for key in differing_keys([flat(), adam])] == [
        *("kind", "momentum", "nesterov"),  # of sgd, the first
        *("betas.0", "betas.1", "eps"),
    ]


def test_differing_keys_are_in_the_order_they_come():
    assert differing_keys([{"b": 1, "a": 1}, {"c": 1, "a": 2}]) == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("group", "common"),
    [
        ([AVG], AVG),
        ([AVG, MAX], NO_POOL),
        ([AVG, NO_POOL], NO_POOL),
        ([NO_POOL, AVG], NO_POOL),
    ],
)
def test_what_specs_have_in_common(group, common):
    assert common_values(group) == common


def test_keys_that_set_groups_apart():
    seeds = [{SEED: 0}, {SEED: 1}]
    avg, max_, none = ([spec | seed for seed in seeds] for spec in (AVG, MAX, NO_POOL))
    assert keys_between([avg, max_]) == [KIND]  # not the seed, which varies within both
    assert keys_between([avg, none]) == [KIND]  # one of the groups lacks it
    assert keys_between([avg, [*max_, AVG]]) == []  # it varies within one
    assert keys_between([avg]) == []
    assert keys_between([avg[:1], avg[1:]]) == [SEED]


def test_the_usual_value_is_what_most_have():
    assert usual_values([AVG, MAX, MAX]) == MAX
    assert usual_values([AVG, MAX]) == AVG  # of equally many the first
    assert usual_values([AVG, NO_POOL, NO_POOL]) == {EPOCHS: 1, KIND: None}


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (AVG, []),
        (MAX, ["pool.kind=max"]),
        ({KIND: "max"}, ["pool.kind=max", "no epochs"]),
        ({KIND: "avg", EPOCHS: 2}, ["epochs=2"]),
        ({**AVG, SEED: 0}, []),  # where nothing is usual nothing is unusual
    ],
)
def test_in_what_one_is_not_as_usual(spec, told):
    assert unusual_settings(spec, usual_values([AVG, MAX])) == told


def test_a_key_that_most_lack():
    assert unusual_settings(AVG, usual_values([NO_POOL, NO_POOL, MAX])) == ["pool.kind=avg"]
    assert unusual_settings(NO_POOL, usual_values([NO_POOL, NO_POOL, MAX])) == []


def test_settings_are_of_the_keys_that_there_are():
    assert settings(AVG, [KIND, SEED, EPOCHS]) == ["pool.kind=avg", "epochs=1"]


def test_a_short_key_is_without_model_and_training():
    keys = ("model.conv.0.channels", "training.optimizer.lr", "data.limit")
    assert [short_key(key) for key in keys] == ["conv.0.channels", "optimizer.lr", "data.limit"]


def test_two_specs_in_one_text():
    there, here = flat(), flat(training={"epochs": 3}, data={"limit": 9})
    assert difference_text(there, here) == (
        "data.limit unset there, 9 here, training.epochs 10 there, 3 here"
    )
    assert difference_text(here, here) == ""
