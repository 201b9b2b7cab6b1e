import json

import pytest
import yaml
from jsonschema import Draft202012Validator

from lenetctl.specs.reference.json_schema import json_schema
from lenetctl.specs.reference.shipped import shipped_folder, shipped_specs

SPECS = shipped_specs()
VALIDATOR = Draft202012Validator(json_schema())


def test_it_is_a_schema():
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("name", SPECS)
def test_a_shipped_spec_is_valid_and_names_the_schema_beside_it(name):
    text = SPECS[name].read_text()
    VALIDATOR.validate(yaml.safe_load(text))
    named = text.splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert (SPECS[name].parent / named).resolve() == shipped_folder() / "spec.schema.json"


def test_the_one_beside_the_specs_is_what_the_command_prints():
    written = json.loads((shipped_folder() / "spec.schema.json").read_text())
    assert written == json_schema(), "lenetctl specs schema > experiments/spec.schema.json"


@pytest.mark.parametrize(
    "spec",
    [
        {"extends": "x.yaml", "model": {"pool": None}},
        {"training": {"optimizer": {"lr": 0.1}, "schedule": {"warmup": 2}}},
        {"model": {"conv": [{"channels": 3, "kernel": 5}]}},
        {"data": {"augment": [{"kind": "flip"}]}},
    ],
)
def test_what_the_loader_takes_is_valid(spec):
    VALIDATOR.validate(spec)


@pytest.mark.parametrize(
    "spec",
    [
        {"modle": {}},
        {"model": {"activation": "rellu"}},
        {"training": {"epochs": 0}},
        {"training": {"optimizer": {"kind": "sgd", "betas": [0.9, 0.99]}}},
        {"model": {"conv": [{"channels": 3}]}},
    ],
)
def test_what_the_loader_refuses_is_not(spec):
    assert not VALIDATOR.is_valid(spec)


def test_every_key_of_a_section_is_described():
    training = json_schema()["$defs"]["TrainingSpec"]["properties"]
    assert all(value["description"] for value in training.values())
    adamw = json_schema()["$defs"]["AdamW"]["properties"]
    assert "Loshchilov" in adamw["kind"]["description"]
