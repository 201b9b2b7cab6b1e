"""The hash is the experiment's, not the spelling's; YAML and back changes nothing."""

import json

import pytest
from helpers.strategies import FUZZ, any_spec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lenetctl import specs
from lenetctl.specs import Spec

AS_MANY = settings(max_examples=FUZZ, deadline=None)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("specs") / "spec.yaml"


@AS_MANY
@given(one=any_spec())
@example(one=Spec(name="1e-3"))  # text in YAML 1.1, a number in 1.2
@example(one=Spec(name="010"))  # a number in both
@example(one=Spec(name="x", description="a\x85b"))  # a line break in YAML 1.1, none in 1.2
def test_yaml_and_back(file, one):
    file.write_text(specs.to_yaml(one), encoding="utf-8", newline="")
    again = specs.load_spec(file)
    assert again == one
    assert specs.sha256(again) == specs.sha256(one)
    assert {type(value) for value in specs.flatten(one).values()} <= {str, int, float}


@AS_MANY
@given(one=any_spec(), random=st.randoms())
def test_another_spelling_is_the_same_experiment(file, one, random):
    file.write_text(json.dumps(spelled_out(one, random)), encoding="utf-8")
    again = specs.load_spec(file)
    assert specs.sha256(again) == specs.sha256(one)


def spelled_out(one, random):
    """Every key in any order, each convolution with its own pool, activation and norm."""

    def shuffled(value):
        if isinstance(value, dict):
            items = [(key, shuffled(inner)) for key, inner in value.items()]
            return dict(random.sample(items, len(items)))
        return [shuffled(inner) for inner in value] if isinstance(value, list) else value

    tree = one.model_dump(mode="json")
    for conv in tree["model"]["conv"]:
        for key in ("pool", "activation", "norm"):
            conv[key] = conv[key] or tree["model"][key]
    return shuffled({**tree, "name": "another", "description": "another"})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("training: {optimizer: {lr: 1}}", "training: {optimizer: {kind: sgd, lr: 1.0}}"),
        ("training: {optimizer: {lr: 1e-1}}", "training: {optimizer: {lr: 0.1}}"),
        ("training: {optimizer: {weight_decay: -0.0}}", "training: {optimizer: {}}"),
        ("data: {limit: null, augment: []}", "# nothing"),
        ("model: {pool: {kind: none, size: 3}}", "model: {pool: {kind: none}}"),
        ("model: {conv: [], pool: {kind: max}}", "model: {conv: []}"),
        (
            "model: {conv: [{channels: 6, kernel: 5, padding_value: 1}]}",
            "model: {conv: [{channels: 6, kernel: 5}]}",
        ),
        (
            "model: {dense: [], conv: [{channels: 6, kernel: 5}], activation: relu}",
            "model: {dense: [], conv: [{channels: 6, kernel: 5, activation: relu}]}",
        ),
    ],
)
def test_the_same(tmp_path, one, other):
    assert hash_of(tmp_path, one) == hash_of(tmp_path, other)


OTHERS = [
    "data.dataset=mnist",
    "data.batch_size=128",
    "data.validation=5000",
    "data.normalize=standard",
    "data.augment=[{kind: flip}]",
    "data.augment=[{kind: flip, p: 0.4}]",
    "data.augment=[{kind: flip}, {kind: shift}]",
    "data.augment=[{kind: shift}, {kind: flip}]",
    "data.limit=100",
    "data={dataset: folder, folder: a}",
    "data={dataset: folder, folder: b}",
    "model.conv.0.channels=7",
    "model.conv.0.kernel=3",
    "model.conv.0.bias=false",
    "model.conv.0.stride=2",
    "model.conv.1.padding=1",
    "model.conv.0.activation=relu",
    "model.conv.1.activation=relu",
    "model.conv.0.pool={kind: max}",
    "model.conv.1.norm=batch",
    "model.conv=[]",
    "model.pool.kind=max",
    "model.pool.stride=1",
    "model.activation=relu",
    "model.norm=batch",
    "model.dense=[84, 120]",
    "model.dense=[]",
    "model.dropout=0.5",
    "model.init=torch",
    "model.bias_init=torch",
    "training.epochs=11",
    "training.seed=1",
    "training.optimizer.lr=0.8",
    "training.optimizer={kind: adam, lr: 0.9}",
    "training.optimizer={kind: adamw, lr: 0.9}",
    "training.schedule={kind: cosine}",
    "training.schedule.warmup=1",
    "training.clip_norm=1",
    "training.label_smoothing=0.1",
    "training.ema=0.99",
    "training.precision=bf16",
    "training.deterministic=false",
    "data.pixel_range=[-0.1, 1.175]",
    "model.conv.0.padding_value=-0.1",
    "model.conv.1.connections=[[0],[1],[2],[3],[4],[5],[0],[1],[2],[3],[4],[5],[0],[1],[2],[3]]",
    "model.input_side=16",
    "model.conv.0.unit_bias=true",
    "training.rubbish=1",
    "training.devices=4",
]


def test_different(tmp_path):
    hashes = {override: hash_of(tmp_path, "", override) for override in OTHERS}
    hashes["the baseline"] = hash_of(tmp_path, "")
    assert len(set(hashes.values())) == len(OTHERS) + 1


def test_the_baseline_keeps_its_hash():
    """Finished runs are known by it: a change of the schema that moves it orphans them."""
    hash_ = specs.sha256(Spec(name="baseline"))
    assert hash_ == "8544ac4b329570bc5f98de951613f93df0f66a485fe017453245304c6f1a88af"


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("quickstart", "46073bea5e16733f"),
        ("book/d2l-java", "71138fbce8966c09"),
        ("exercise2/best", "98ed75a4c6bffda9"),
        ("depth/normalized", "6985d8f3d2c5c754"),
    ],
)
def test_so_do_other_specs(name, begins):
    assert specs.sha256(specs.load_spec(name)).startswith(begins)


def test_a_slash_behind_a_folder_means_nothing(tmp_path):
    one, same = (f"data={{dataset: folder, folder: a/b (1){slash}}}" for slash in ("", "/"))
    assert hash_of(tmp_path, "", one) == hash_of(tmp_path, "", same)


def test_flatten():
    flat = specs.flatten(Spec(name="x", description="y"))
    assert flat["model.conv.1.channels"] == 16
    assert flat["model.conv.0.bias"] == "true"
    assert flat["training.optimizer.kind"] == "sgd"
    assert flat["data.augment"] == "[]"
    assert not {"name", "description", "data.limit"} & flat.keys()


def hash_of(folder, text, *overrides):
    path = folder / "spec.yaml"
    path.write_text(text)
    return specs.sha256(specs.load_spec(path, overrides))


def test_a_window_with_equal_sides_is_a_square():
    pair, square, other = (
        specs.load_spec({"model": {"conv": [{"channels": 6, "kernel": kernel, "padding": 2}]}})
        for kernel in ([5, 5], 5, [5, 3])
    )
    assert specs.sha256(pair) == specs.sha256(square) != specs.sha256(other)
