"""The words for each kind of mistake: one line, what is allowed, what was meant."""

import pytest

from lenetctl.specs.messages import MAX_PROBLEMS

SIDES = "an integer from 1 to 64, or two: [height, width]"
COUNT_OR_SHARE = "a number of images, or a share between 0 and 1"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("training: {epochs: '3'}", 'training.epochs: must be an integer, not "3"'),
        ("training: {epochs: 3.0}", "training.epochs: must be an integer, not 3.0"),
        ("training: {seed: -1}", "training.seed: must be greater than or equal to 0, not -1"),
        (
            "training: {deterministic: on}",
            'training.deterministic: must be true or false, not "on"',
        ),
        ("training: {optimizer: {lr: true}}", "training.optimizer.lr: must be a number, not true"),
        ("training: {ema: .inf}", "training.ema: must be a finite number, not Infinity"),
        (
            "training: {optimizer: adam}",
            'training.optimizer: must be a mapping of keys to values, not "adam"',
        ),
        *(
            (
                f"data: {{validation: {value}}}",
                f"data.validation: must be {COUNT_OR_SHARE}, not {value}",
            )
            for value in ("-1", "1.5", "1.0", "0.0", "true")
        ),
        *(
            (
                f"model: {{conv: [{{channels: 6, kernel: {value}}}]}}",
                f"model.conv.0.kernel: must be {SIDES}, not {value}",
            )
            for value in ("0", "65", "2.5", "true", "[3]", "[3, 0]", "[1, 2, 3]")
        ),
        ("model: {dense: 120}", "model.dense: must be a list, not 120"),
        ("model: {dense: [null]}", "model.dense.0: must be an integer, not null"),
        ("model: {conv: [{kernel: 5}]}", "model.conv.0.channels: is needed"),
        (
            "model: {pool: {padding: 2}}",
            "model.pool.padding: padding 2 is more than half of the window's 2",
        ),
        (
            "model: {norm: layer}",
            'model.norm: "layer" is not allowed (allowed: none, batch)',
        ),
        ("name: 12", "name: must be text, not 12"),
        (f"name: {101 * 'a'}", "name: must have at most 100 characters"),
        (f"model: {{dense: {33 * [1]}}}", "model.dense: must have at most 32 entries"),
        (
            "data: {dataset: folder}",
            "data.dataset: dataset folder needs data.folder, a folder below the data directory",
        ),
        ("data: {folder: a}", "data.folder: dataset fashion_mnist reads no folder"),
        (
            f"training: {{precision: {100_000 * 'x'}}}",
            f'training.precision: "{58 * "x"}… is not allowed (allowed: fp32, tf32, bf16)',
        ),
        (
            'training: {optimizer: {kind: adam, "\\e[31m\\n": 1}}',
            (
                "training.optimizer.\\x1b[31m\\n: unknown key for adam"
                " (allowed: kind, lr, betas, eps, weight_decay)"
            ),
        ),
    ],
)
def test_one_line(complaints, text, line):
    assert complaints(text) == [f"x.yaml:1: {line}"]


@pytest.mark.parametrize(
    "name", ["..", ".a", "a/b", "../a", "/a", "a\\\\b", "a\\n", "-a", "a b", "a\\0", "\\e[31m", "²"]
)
def test_names_that_are_no_names(complaints, name):
    (line,) = complaints(f'name: "{name}"')
    assert line.startswith("x.yaml:1: name: must be letters, digits and _ . + = -")


@pytest.mark.parametrize(
    "folder", ["..", "../a", "a/../b", "/a", "a//b", "a\\n", "a//", ".a", "~\\e"]
)
def test_folders_that_lead_outside(complaints, folder):
    (line,) = complaints(f'data: {{dataset: folder, folder: "{folder}"}}')
    assert line.startswith("x.yaml:1: data.folder: must be a path below the data directory")


def test_beyond_a_hundred_they_are_counted(complaints):
    lines = complaints("".join(f"key{n}: 1\n" for n in range(2000)))
    assert len(lines) == MAX_PROBLEMS + 1
    assert lines[0] == "x.yaml: 2,000 problems, the first 100 of them here"
    assert lines[1].startswith("x.yaml:1: key0: unknown key")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("lr: 0.1", "lr: unknown key; did you mean training.optimizer.lr?"),
        ("training: {lr: 1}", "training.lr: unknown key; did you mean training.optimizer.lr?"),
        ("optimizer: {lr: 1}", "optimizer: unknown key; did you mean training.optimizer?"),
        ("seeds: [1]", "seeds: unknown key: it is one of a sweep, for a file called sweep.yaml"),
    ],
)
def test_a_key_of_another_section_is_told_where_it_belongs(complaints, text, line):
    assert complaints(text) == [f"x.yaml:1: {line}"]
