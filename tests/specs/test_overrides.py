"""`-s key=value`."""

import pytest

from lenetctl import specs
from lenetctl.specs.overrides import variant_name
from lenetctl.specs.schema import NAME_LENGTH


@pytest.fixture
def load(tmp_path):
    def load(text, *overrides):
        (tmp_path / "x.yaml").write_text(text)
        return specs.load_spec(tmp_path / "x.yaml", overrides)

    return load


def test_the_contracts_own_examples(load):
    loaded = load("", "model.pool.kind=max", "training.epochs=3", "model.conv.1.channels=32")
    assert loaded.model.pool.kind == "max"
    assert loaded.training.epochs == 3
    assert [conv.channels for conv in loaded.model.conv] == [6, 32]


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("training.optimizer.lr=1e-3", 0.001),
        ("training.optimizer={kind: adam, lr: 2}", 2),
        ("training.optimizer.lr=0.1 # why not", 0.1),
    ],
)
def test_values_are_yaml(load, override, value):
    assert load("", override).training.optimizer.lr == value


def test_the_value_may_hold_an_equals_sign(load):
    assert load("", "description=a=b").description == "a=b"


def test_the_last_one_counts(load):
    assert (
        load("training: {epochs: 1}", "training.epochs=2", "training.epochs=3").training.epochs == 3
    )


@pytest.mark.parametrize("null", ["null", "~", ""])
def test_null_is_the_default(load, null):
    loaded = load(
        "training: {ema: 0.9, epochs: 3}", f"training.ema={null}", f"training.epochs={null}"
    )
    assert (loaded.training.ema, loaded.training.epochs) == (None, 10)


def test_null_in_an_entry_of_a_list_is_its_default(load):
    loaded = load(
        "model: {conv: [{channels: 6, kernel: 5, padding: 2}]}", "model.conv.0.padding=null"
    )
    assert loaded.model.conv[0].padding == 0


def test_lists_that_the_file_leaves_out(load):
    loaded = load(
        "training: {optimizer: {kind: adam}}",
        "training.optimizer.betas.0=0.5",
        "model.dense.1=7",
        "model.conv.0.pool.kind=max",
    )
    assert loaded.training.optimizer.betas == (0.5, 0.999)
    assert loaded.model.dense == (120, 7)
    assert [conv.pool and conv.pool.kind for conv in loaded.model.conv] == ["max", None]


def test_of_a_list_in_the_file_one_entry_is_set(load):
    loaded = load(
        "model: {dense: [1, 2]}\ndata: {augment: [{kind: flip}]}", "data.augment.0.p=0.25"
    )
    assert loaded.data.augment[0].p == 0.25
    assert loaded.model.dense == (1, 2)


SGD = "training: {optimizer: {lr: 0.5, momentum: 0.9, weight_decay: 0.1}}"
ADAM = "training: {optimizer: {kind: adam, lr: 0.5, betas: [0.5, 0.6]}}"


def test_another_kind_of_optimizer_takes_over_only_what_means_the_same(load):
    optimizer = load(SGD, "training.optimizer.kind=adam").training.optimizer
    assert (optimizer.lr, optimizer.weight_decay) == (0.001, 0.1)
    optimizer = load(ADAM, "training.optimizer.kind=adamw").training.optimizer
    assert (optimizer.lr, optimizer.betas) == (0.5, (0.5, 0.6))
    assert load(ADAM, "training.optimizer.kind=sgd").training.optimizer.lr == 0.9
    assert load(SGD, "training.optimizer.kind=sgd").training.optimizer.lr == 0.5


@pytest.mark.parametrize("turned", [False, True])
def test_what_the_command_line_sets_for_another_kind_holds(load, turned):
    settings = ["training.optimizer.lr=0.25", "training.optimizer.kind=adam"]
    assert load(SGD, *settings[:: -1 if turned else 1]).training.optimizer.lr == 0.25
    section = "training.optimizer={lr: 0.25}"
    assert load(SGD, section, settings[1]).training.optimizer.lr == 0.25


def test_another_kind_of_schedule_keeps_the_warmup(load):
    text = "training: {schedule: {kind: step, gamma: 0.5, warmup: 2}}"
    schedule = load(text, "training.schedule.kind=cosine").training.schedule
    assert (schedule.kind, schedule.warmup) == ("cosine", 2)


def test_another_kind_hides_no_unknown_key(complaints):
    (line,) = complaints("training: {optimizer: {lrr: 1}}", "training.optimizer.kind=adam")
    assert "training.optimizer.lrr: unknown key" in line


def test_a_wrong_kind_is_told(complaints):
    (line,) = complaints(SGD, "training.optimizer.kind=[adam]")
    assert "training.optimizer.kind" in line


HOW = "write key=value, as in training.epochs=3"


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("training.epochs", f"-s training.epochs: training.epochs: {HOW}"),
        ("=3", f"-s =3: {HOW}"),
        ("", f"-s : {HOW}"),
        ("a..b=3", f"-s a..b=3: a..b: {HOW}"),
        ("a\nb=3", f"-s a\\nb=3: a\\nb: {HOW}"),
        ("\udce9=3", f"-s \\udce9=3: \\udce9: {HOW}"),
        (
            "extends=base.yaml",
            "-s extends=base.yaml: extends: a file says what it extends, the command line cannot",
        ),
        (
            "training.epochs=x",
            '-s training.epochs=x: training.epochs: must be an integer, not "x"',
        ),
        (
            "training.epochs=true",
            "-s training.epochs=true: training.epochs: must be an integer, not true",
        ),
        (
            "model.conv.2.channels=3",
            (
                "-s model.conv.2.channels=3: model.conv.2.channels:"
                " no entry 2 in a list of 2, counted from 0"
            ),
        ),
        (
            "data.augment.0.p=1",
            "-s data.augment.0.p=1: data.augment.0.p: no entry 0 in a list of 0, counted from 0",
        ),
        (
            "model.conv.x=3",
            '-s model.conv.x=3: model.conv: must be a list, not {"x": 3}',
        ),
        (
            "description=\udce9",
            "-s description=\\udce9: description: not valid YAML: surrogates not allowed",
        ),
        (
            "training.epochs=!!int 3",
            (
                "-s training.epochs=!!int 3: training.epochs:"
                " the tag tag:yaml.org,2002:int is refused: specs are plain data"
            ),
        ),
        (
            "data={limit: 1, limit: 2}",
            "-s data={limit: 1, limit: 2}: data: written twice, first in line 1",
        ),
    ],
)
def test_what_is_wrong_is_told_with_the_override(complaints, override, line):
    assert complaints("", override) == [line]


def test_what_an_override_makes_is_blamed_on_it(complaints):
    (line,) = complaints("", "modle.pool.kind=max")
    assert line.startswith("-s modle.pool.kind=max: modle: unknown key")


def test_a_word_in_the_file_has_no_keys(complaints):
    lines = complaints("training: {optimizer: adam}", "training.optimizer.lr=1")
    assert lines == [
        '-s training.optimizer.lr=1: training.optimizer.lr: "adam" has no key lr',
        'x.yaml:1: training.optimizer: must be a mapping of keys to values, not "adam"',
    ]


def test_all_overrides_are_heard(complaints):
    lines = complaints("modle: 1", "training.epochs", "training.seed=-1", f"{'a.' * 5000}a=1")
    assert [line.partition(":")[0][:18] for line in lines] == [
        "-s a.a.a.a.a.a.a.a",
        "-s training.epochs",
        "-s training.seed=-1"[:18],
        "x.yaml",
    ]


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        (["model.pool.kind=max"], "quick-max"),
        (["training.optimizer={kind: adam, lr: 0.1}"], "quick-optimizer=kind-adam-lr-0.1"),
        (["model.conv.1.channels=32", "training.seed=3"], "quick-channels=32"),
        (["training.epochs=10"], "quick"),  # as it is without
        (["name=mine", "model.pool.kind=max"], "mine"),
        (["description=mine"], "quick"),
    ],
)
def test_a_spec_is_called_after_what_was_changed(tmp_path, overrides, name):
    (tmp_path / "quick.yaml").write_text("training: {epochs: 10}")
    assert specs.load_spec(tmp_path / "quick.yaml", overrides).name == name


def test_a_spec_that_only_an_override_makes_valid_has_its_name(tmp_path):
    (tmp_path / "quick.yaml").write_text("model: {activation: rellu}")
    assert specs.load_spec(tmp_path / "quick.yaml", ["model.activation=relu"]).name == "quick-relu"


def test_names_that_are_cut_do_not_look_the_same(tmp_path):
    widths = [",".join(["64"] * 30 + [last]) for last in ("1", "2")]
    names = [variant_name("quick", {"model.dense": width}) for width in widths]
    stems = ["a" * 120 + last for last in "12"]
    for stem in stems:
        (tmp_path / f"{stem}.yaml").touch()
    names += [specs.load_spec(tmp_path / f"{stem}.yaml").name for stem in stems]
    assert len(set(names)) == 4
    assert all(len(name) <= NAME_LENGTH for name in names)
