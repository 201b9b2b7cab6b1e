import json

import optuna
import pytest
from optuna.trial import FixedTrial

from lenetctl.errors import SpecError
from lenetctl.sweeps.grid import parse_grid_option
from lenetctl.sweeps.search.search_space import Choices, Range, search_dimension


def test_a_list_is_a_choice_of_values_of_any_kind():
    choice = search_dimension(parse_grid_option("model.dense=[120, 84],[],[64]"))
    assert choice == Choices("model.dense", ([120, 84], [], [64]))
    assert choice.suggest(FixedTrial({"model.dense": "[64]"})) == [64]
    assert str(choice) == "model.dense: [120, 84], [], [64]"


def test_low_and_high_are_a_range():
    rate = search_dimension(
        parse_grid_option("training.optimizer.lr={low: 0.01, high: 1, log: true}")
    )
    assert rate == Range("training.optimizer.lr", 0.01, 1, log=True)
    assert str(rate) == "training.optimizer.lr: 0.01 to 1, log"
    assert rate.suggest(FixedTrial({rate.key: 0.123456})) == 0.123
    assert rate.suggest(FixedTrial({rate.key: 0.99999})) == 1


def test_what_is_suggested_lies_within_and_is_whole_where_the_ends_are():
    width = search_dimension(parse_grid_option("model.conv.0.channels={low: 4, high: 32, step: 4}"))
    share = search_dimension(parse_grid_option("model.dropout={low: 0.0, high: 0.5}"))
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    drawn = [
        (width.suggest(trial), share.suggest(trial)) for trial in (study.ask() for _ in "." * 50)
    ]
    assert {type(channels) for channels, _ in drawn} == {int}
    assert {channels for channels, _ in drawn} == set(range(4, 33, 4))
    assert all(0 <= p <= 0.5 and len(f"{p:g}") <= len("0.000123") for _, p in drawn)


def test_another_mapping_is_a_value():
    optimizer = {"kind": "adam"}
    assert search_dimension(
        parse_grid_option(f"training.optimizer={json.dumps(optimizer)}")
    ).extremes == (optimizer,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{low: 1, high: 1}", "low 1 must be below high 1"),
        ("{low: a, high: 1}", "must be numbers"),
        ("{low: false, high: true}", "must be numbers"),
        ("{low: 0, high: 1, log: true}", "begins above 0"),
        ("{low: 1, high: 9, log: true, step: 2}", "has no step"),
        ("{low: 0, high: 1, log: yes please}", "log must be true or false"),
        ("{low: 1, high: 9, step: 0}", "above 0"),
        ("{low: 1, high: 9, step: 0.5}", "whole"),
        ("{low: 1, high: 9, steps: 2}", "steps: unknown"),
    ],
)
def test_a_range_without_numbers_is_refused_where_it_is_written(text, message):
    with pytest.raises(SpecError, match=message) as error:
        search_dimension(parse_grid_option(f"k={text}"))
    assert str(error.value).startswith("-g k=")
