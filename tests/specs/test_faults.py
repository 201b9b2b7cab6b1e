"""Everything that is wrong is told at once, and nothing that is not."""

import pytest
from helpers.kinds import CODES

from lenetctl.specs import faults

AWFUL = """\
name: ../awful
data:
  dataset: fasion_mnist
  batch_size: 0
  batch_size: 256
  augment: [{kind: flip, p: 2}, {kind: flop}, {p: 0.5}]
modle: {}
model:
  conv:
    - {channels: six, kernel: 5, padding: 2}
    - {channels: 16, kernel: 50, strid: 1}
  activation: rellu
  dropout: .nan
training:
  epochs: true
  deterministic: 1
  optimizer: {kind: adam, momentum: 0.9, betas: [0.9]}
  schedule: {kind: cosin}
  early_stopping: {}
  early_stopping: {patience: 3}
"""
TOLD = """\
x.yaml:1: name: must be letters, digits and _ . + = -, beginning with a letter, a digit or _, \
not "../awful"
x.yaml:3: data.dataset: "fasion_mnist" is not allowed \
(allowed: fashion_mnist, mnist, kmnist, qmnist, emnist_digits, emnist_mnist, digits, \
folder); did you mean fashion_mnist?
x.yaml:4: data.batch_size: must be greater than or equal to 1, not 0
x.yaml:5: data.batch_size: written twice, first in line 4
x.yaml:6: data.augment.0.p: must be less than or equal to 1, not 2
x.yaml:6: data.augment.1.kind: "flop" is not allowed \
(allowed: flip, shift, affine, erase); did you mean flip?
x.yaml:6: data.augment.2.kind: is needed (allowed: flip, shift, affine, erase)
x.yaml:7: modle: unknown key \
(allowed: name, description, data, model, training, extends); did you mean model?
x.yaml:10: model.conv.0.channels: must be an integer, not "six"
x.yaml:11: model.conv.1.strid: unknown key \
(allowed: channels, kernel, stride, padding, padding_value, connections, bias, \
unit_bias, pool, activation, norm); did you mean stride?
x.yaml:11: model.conv.1: conv2 would be 0×0: a 50×50 window does not fit 14×14
x.yaml:12: model.activation: "rellu" is not allowed \
(allowed: sigmoid, tanh, scaled_tanh, relu, leaky_relu, elu, gelu, silu, none); did you mean relu?
x.yaml:13: model.dropout: must be a finite number, not NaN
x.yaml:15: training.epochs: must be an integer, not true
x.yaml:16: training.deterministic: must be true or false, not 1
x.yaml:17: training.optimizer.betas.1: is needed
x.yaml:17: training.optimizer.momentum: unknown key for adam \
(allowed: kind, lr, betas, eps, weight_decay)
x.yaml:18: training.schedule.kind: "cosin" is not allowed \
(allowed: constant, step, cosine, one_cycle, by_epoch); did you mean cosine?
x.yaml:19: training.early_stopping: early stopping watches validation: \
set data.validation above 0
x.yaml:20: training.early_stopping: written twice, first in line 19
"""


def test_everything_at_once(complaints):
    assert complaints(AWFUL) == TOLD.splitlines()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        # two impossible combinations, one behind the other
        (
            "training: {early_stopping: {}}\nmodel: {conv: [{channels: 1, kernel: 50}]}",
            ["training.early_stopping", "model.conv.0"],
        ),
        (
            "training: {optimizer: {nesterov: true}, early_stopping: {}}\ndata: {folder: a}",
            [
                "training.optimizer.nesterov",
                "training.early_stopping",
                "data.folder",
            ],
        ),
        # an impossible combination behind a wrong kind, and the kind's own keys
        (
            "training: {optimizer: {kind: adm, betas: [1]}, early_stopping: {}}",
            ["training.optimizer.kind", "training.early_stopping"],
        ),
        # the longest chain: the kind, its keys, their combination, one of the whole spec
        (
            "training: {optimizer: {kind: adm, betas: [1], nesterov: true}, early_stopping: {}}",
            [
                "training.optimizer.kind",
                "training.optimizer.nesterov",
                "training.early_stopping",
            ],
        ),
        # what a shape does not depend on keeps none from view
        (
            "model: {activation: rel, conv: [{kernel: 5, bias: 1}, {channels: 0, kernel: 50}]}",
            [
                "model.conv.0.channels",
                "model.conv.0.bias",
                "model.conv.1.channels",
                "model.activation",
                "model.conv.1",
            ],
        ),
    ],
)
def test_one_fault_does_not_hide_another(complaints, text, told):
    assert sorted(keys(complaints(text))) == sorted(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        # the default stands in for what is wrong: what would be impossible with it may be possible
        ("data: {validation: many}\ntraining: {early_stopping: {}}", ["data.validation"]),
        ("data: {dataset: foldr, folder: a}", ["data.dataset"]),
        ("data: {dataset: folder, folder: ../a}", ["data.folder"]),
        ("training: {optimizer: {nesterov: true, momentum: x}}", ["training.optimizer.momentum"]),
        ("model: {pool: {size: x, padding: 2}}", ["model.pool.size"]),
        ("model: {pool: {stride: x}, conv: [{channels: 1, kernel: 50}]}", ["model.pool.stride"]),
        ("model: {conv: [{channels: 1, kernel: x}], pool: {size: 28}}", ["model.conv.0.kernel"]),
        ("model: {conv: 3, pool: {size: 28}}", ["model.conv"]),
        ("model: {conv: [5], pool: {size: 28}}", ["model.conv.0"]),
    ],
)
def test_nothing_is_said_of_what_was_not_meant(complaints, text, told):
    assert keys(complaints(text)) == told


NORMED = "\nmodel: {norm: batch}"
NINE = ", ".join(f"'{code}'" for code in CODES[:9])


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("training: {loss: squared_distance}", "training.loss", "with model.output_codes"),
        (
            "training: {rubbish: 1, label_smoothing: 0.1}",
            "training.label_smoothing",
            "does not go with a rubbish class",
        ),
        (
            "training: {loss: squared_distance, rubbish: 1}",
            "training.rubbish",
            "does not go with loss squared_distance",
        ),
        ("training: {optimizer: {kind: sdlm}}" + NORMED, "training.optimizer.kind", "batch norm"),
        ("training: {devices: 2}" + NORMED, "training.devices", "batch norm"),
        ("training: {schedule: {kind: by_epoch}}", "training.schedule.factors", "is needed"),
        ("data: {normalize: standard, pixel_range: [0, 2]}", "data.pixel_range", "sets another"),
        ("data: {pixel_range: [1, 0]}", "data.pixel_range", "black must be less than white"),
        (
            "model: {conv: [{channels: 1, kernel: 5, bias: false, unit_bias: true}]}",
            "model.conv.0.unit_bias",
            "needs a bias",
        ),
        (
            f"model: {{output_codes: [{NINE}]}}",
            "model.output_codes",
            "must have at least 10 entries",
        ),
        (f"model: {{output_codes: [{NINE}, x]}}", "model.output_codes.9", "must be signs # and ."),
        (f"model: {{output_codes: [{NINE}, '######']}}", "model.output_codes.0", "has 6 signs"),
        (f"model: {{output_codes: [{NINE}, '... ..#']}}", "model.output_codes", "classes 1 and 9"),
        (
            "model: {conv: [{channels: 2, kernel: 5, connections: [[0], [1]]}]}",
            "model.conv.0.connections.1",
            "channels of conv1 read some of 0 to 0",
        ),
    ],
)
def test_the_keys_of_the_old_nets(complaints, text, key, words):
    (told,) = (line for line in complaints(text) if f" {key}: " in line)
    assert words in told


EXAMPLE = """\
model:
  activation: rellu
  conv: [{channels: six, kernel: 50}]
data: {validation: many}
training: {early_stopping: {}}
"""


def test_the_example_of_the_docstring(complaints):
    numbered = [f"    {n}  {line}" for n, line in enumerate(EXAMPLE.splitlines(), 1)]
    assert "\n".join(numbered) in faults.__doc__
    assert [line.split(": ")[:2] for line in complaints(EXAMPLE)] == [
        ["x.yaml:2", "model.activation"],
        ["x.yaml:3", "model.conv.0.channels"],
        ["x.yaml:3", "model.conv.0"],  # from round 2
        ["x.yaml:4", "data.validation"],
    ]


def test_early_stopping_is_told_where_no_guess_is_in_the_way(complaints):
    assert keys(complaints(EXAMPLE.replace("many", "0")))[-1] == "training.early_stopping"


def test_an_unknown_key_with_no_value_is_unknown(complaints):
    assert keys(complaints("modle:\ndata: {limt: null}")) == ["modle", "data.limt"]


def test_a_key_called_like_a_kind(complaints):
    shift = complaints("data: {augment: [{kind: shift, shift: 1, pixels: 0}]}")
    assert sorted(keys(shift)) == ["data.augment.0.pixels", "data.augment.0.shift"]
    sgd = complaints("training: {optimizer: {sgd: 1, lr: 0}}")
    assert sorted(keys(sgd)) == ["training.optimizer.lr", "training.optimizer.sgd"]


def test_a_list_with_a_wrong_entry_is_as_long_as_it_is_written(complaints):
    assert keys(complaints(f"model: {{output_codes: [{NINE}, x]}}")) == ["model.output_codes.9"]
    by_epoch = "training: {{schedule: {{kind: by_epoch, factors: {}}}}}"
    assert keys(complaints(by_epoch.format("[0]"))) == ["training.schedule.factors.0"]
    assert keys(complaints(by_epoch.format("[]"))) == ["training.schedule.factors"]


def keys(lines):
    return [line.split(": ")[1] for line in lines]
