"""What each key may be, at its edges."""

import pytest
from pydantic import ValidationError

from lenetctl import specs
from lenetctl.specs.schema import Conv, ModelSpec

EDGES = [
    # key, values that are allowed, values that are not
    ("data.batch_size", ["1", "1000000"], ["0", "1000001", "1.5"]),
    ("data.validation", ["0", "5000"], ["-1", "1e3"]),
    ("data.limit", ["1", "null"], ["0", f"{10**30}"]),
    ("data.augment", ["[]", "[{kind: flip}, {kind: flip}]"], ["flip", "[flip]", "{kind: flip}"]),
    ("data.augment", ["[{kind: shift, pixels: 27}]"], ["[{kind: shift, pixels: 28}]"]),
    ("data.augment", ["[{kind: erase, pixels: 28}]"], ["[{kind: erase, pixels: 29}]"]),
    ("data.augment", ["[{kind: affine, degrees: 180}]"], ["[{kind: affine, scale: 1}]"]),
    ("model.conv.0.channels", ["1", "4096"], ["0", "4097", "true"]),
    ("model.conv.0.kernel", ["1", "14"], ["0", "65"]),
    ("model.conv.0.padding", ["0", "64"], ["-1", "65"]),
    ("model.conv.0.bias", ["true", "false"], ["0", "no", "null_"]),
    ("model.conv.0.activation", ["relu", "none", "null"], ["ReLU", "softmax"]),
    ("model.conv.0.norm", ["batch", "none", "null"], ["layer", "true"]),
    ("model.pool", ["{size: 5, padding: 2}", "{kind: none}"], ["{size: 5, padding: 3}", "max"]),
    ("model.pool.kind", ["avg", "max", "none"], ["mean", "~x", "1"]),
    ("model.dense", ["[]", "[1]", "[65536]"], ["[0]", "[65537]", "[1.0]", "1"]),
    ("model.dropout", ["0", "0.99"], ["1", "-0.1", ".nan", "x"]),
    ("model.init", ["lecun", "torch", "kaiming_uniform"], ["xavier", "zeros"]),
    ("training.epochs", ["1", "100000"], ["0", "100001", "10.0", "'10'", "true"]),
    ("training.seed", ["0", f"{2**63 - 1}"], ["-1", f"{2**63}"]),
    ("training.optimizer.lr", ["1", "1e-3", "5e-324"], ["0", "-1", ".inf", "1e999", "true"]),
    ("training.optimizer", ["{kind: sgd, momentum: 0.9, nesterov: true}"], ["{nesterov: true}"]),
    ("training.optimizer", ["{kind: adam, betas: [0, 0.5]}"], ["{kind: adam, betas: [0.5, 1]}"]),
    ("training.schedule", ["{kind: step}", "{warmup: 0.5}"], ["{kind: step, step_size: 0}"]),
    (
        "training.schedule",
        ["{kind: step, gamma: 1}"],
        ["{kind: step, gamma: 1.1}", "{warmup: 1e9}"],
    ),
    ("training.schedule", ["{kind: one_cycle}"], ["{kind: one_cycle, warmup: 1}"]),
    ("training.clip_norm", ["1e-9", "5", "null"], ["0", "-1"]),
    ("training.label_smoothing", ["0", "0.1"], ["1", "-0.1"]),
    ("training.ema", ["0.999", "null"], ["0", "1"]),
    ("training.early_stopping", ["null"], ["{patience: 3}", "true"]),
    ("training.precision", ["fp32", "tf32", "bf16"], ["fp16", "32"]),
    ("training.deterministic", ["true", "False"], ["on", "1", "'true'"]),
]


@pytest.mark.parametrize(("key", "allowed", "refused"), EDGES)
def test_edges(complaints, key, allowed, refused):
    for value in allowed:
        assert complaints("", f"{key}={value}") == []
    for value in refused:
        assert complaints("", f"{key}={value}"), f"{key}={value} is not refused"


def test_stopping_early_with_validation(complaints):
    text = "data: {validation: 10}\ntraining: {early_stopping: {}}"
    assert complaints(text) == []


def test_a_cosine_that_would_rise(complaints):
    text = "training:\n  optimizer: {lr: 0.1}\n  schedule: {kind: cosine, eta_min: 0.2}"
    where = "x.yaml:3: training.schedule.eta_min"
    assert complaints(text) == [f"{where}: must be at most the learning rate, which is 0.1"]
    assert complaints(text, "training.optimizer.lr=0.2") == []


def test_layers_that_do_not_fit():
    big = ModelSpec(conv=(Conv(channels=1, kernel=30),))
    with pytest.raises(ValidationError, match="conv1 would be 0×0"):
        specs.Spec(name="big", model=big)


def test_a_spec_does_not_change():
    one = specs.Spec(name="one")
    with pytest.raises(ValidationError):
        one.training.epochs = 3
    assert hash(one) == hash(specs.Spec(name="one"))
