"""Every kind that a spec can name goes everywhere: it works there, or is refused in words.

The kinds are found in the schema, so a new one is walked through all of these tests at once.
"""

import math
import re
from functools import cache
from pathlib import Path

import pytest
import torch
from helpers.kinds import every_kind
from torch import nn

from lenetctl.data.dataset import Dataset, Split, load_dataset
from lenetctl.data.device import DeviceDataset
from lenetctl.errors import DataError, UsageError
from lenetctl.figures import diagram
from lenetctl.figures.diagrams import operations
from lenetctl.model import build
from lenetctl.model.build import build_model
from lenetctl.specs import layer_formats, plan_layers
from lenetctl.specs.schema import ModelSpec, Pool, Spec, TrainingSpec
from lenetctl.specs.training import Sgd
from lenetctl.training import cuda_graph
from lenetctl.training.cpu import forward
from lenetctl.training.device import numerics
from lenetctl.training.engines import ENGINES, EngineChoice, choose_engine
from lenetctl.training.fleet import key as fleet
from lenetctl.training.fleet.loop import train_fleet
from lenetctl.training.loop import train
from lenetctl.training.state import initial_state

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
DOCS = (Path(__file__).parents[1] / "docs" / "specs.md").read_text()
LONG = 10**9  # images of a run for which compiling pays

KINDS = every_kind()
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


@cache
def noise() -> Dataset:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (60, 28, 28), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 10, (60,), generator=generator)
    learnt, measured = Split(images[:40], labels[:40]), Split(images[40:], labels[40:])
    return Dataset("noise", tuple("abcdefghij"), learnt, None, measured, "0" * 64, 0.5, 0.3)


def trained(spec: Spec, engine: str) -> None:
    """Train for an epoch and make sure that it measured something and moved the weights."""
    state = initial_state(spec, CPU)
    before = {name: value.clone() for name, value in state.net.named_parameters()}
    with numerics(spec.training):
        step = ENGINES[engine].build_step(state.net, state.optimizer, spec)
        (result,) = train(state, step, DeviceDataset.of(noise(), spec.data, CPU), spec)
    assert all(math.isfinite(value) for value in result.metrics.values())
    assert all(not value.equal(before[name]) for name, value in state.net.named_parameters())


def assert_words(refusal: str) -> None:
    assert refusal
    assert "\n" not in refusal


def test_the_kinds_are_found_however_deep_they_are():
    found = set(map(str, KINDS))
    assert {
        *("data.dataset=folder", "data.augment.kind=erase", "model.activation=none"),
        *("model.conv.pool.kind=max", "model.conv.norm=batch", "training.optimizer.kind=adamw"),
        *("training.schedule.kind=one_cycle", "training.precision=bf16"),
    } <= found
    assert len(found) == len(KINDS)


@each_kind
def test_the_docs_name_it(kind):
    assert f"`{kind.word}`" in DOCS


@each_kind
def test_the_builder_makes_what_the_plan_says(kind):
    net = build_model(kind.spec.model, seed=0).eval()
    assert [name for name, _ in net.named_children()] == [
        layer.name for layer in plan_layers(kind.spec.model)
    ]
    assert net(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


@each_kind
@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_trains_it_or_refuses_it_in_words(kind, engine):
    if refusal := ENGINES[engine].refusal(kind.spec, CPU):
        assert_words(refusal)
        with pytest.raises(UsageError, match=f"--engine {engine}: .*: use --engine auto$"):
            choose_engine(engine, kind.spec, LONG, CPU)
    else:
        trained(kind.spec, engine)


@each_kind
@pytest.mark.parametrize("device", [CPU, CUDA], ids=str)
def test_auto_takes_an_engine_that_does_not_refuse_it(kind, device):
    chosen = choose_engine("auto", kind.spec, LONG, device).engine
    assert ENGINES[chosen].refusal(kind.spec, device) == ""


@each_kind
def test_a_fleet_trains_two_of_it_or_refuses_it_in_words(kind):
    if refusal := fleet.fleet_refusal(kind.spec):
        assert_words(refusal)
        return
    models = {n: (initial_state(kind.spec, CPU), kind.spec) for n in range(2)}
    with numerics(kind.spec.training):
        (outcomes,) = train_fleet(models, DeviceDataset.of(noise(), kind.spec.data, CPU))
    assert [outcome.epoch for outcome in outcomes.values()] == [1, 1]


@each_kind
def test_the_pictures_and_tables_show_it(kind):
    layers = plan_layers(kind.spec.model)
    assert written(kind.spec.model)
    assert len(layer_formats.book_lines(layers, 1).splitlines()) == len(layers)
    assert len(layer_formats.layers_document(layers, 1)["layers"]) == len(layers)
    assert len(layer_formats.layers_markdown(layers, 1).splitlines()) == len(layers) + 3


@cache
def written(model: ModelSpec) -> list[str]:
    """The texts of both pictures of a net."""
    figure = diagram(plan_layers(model))
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.key == "data.dataset"], ids=str)
def test_a_data_set_is_read_or_missed_in_words(kind, tmp_path):
    try:
        assert len(load_dataset(kind.spec.data, tmp_path, download=False).classes) == 10
    except DataError as error:
        assert_words(str(error))


KNOWN = Spec(name="known", model=ModelSpec(norm="batch"))
# what an unknown kind is the value of: the section, its key and the value
UNKNOWN = {
    "pool.kind": ("model", "pool", Pool().model_copy(update={"kind": "new"})),
    "activation": ("model", "activation", "new"),
    "norm": ("model", "norm", "new"),
    "optimizer.kind": ("training", "optimizer", Sgd(kind="sgd").model_copy(update={"kind": "new"})),
    "loss": ("training", "loss", "new"),
    "precision": ("training", "precision", "new"),
}
TABLES = {
    "compiled": (forward.SUPPORT, lambda spec: forward.compiled_refusal(spec, CPU)),
    "graph": (cuda_graph.SUPPORT, lambda spec: cuda_graph.graph_refusal(spec, CUDA)),
    "fleet": (fleet.SUPPORT, fleet.fleet_refusal),
}
each_table = pytest.mark.parametrize("table", TABLES)


def with_unknown(key: str) -> Spec:
    section, name, value = UNKNOWN[key]
    changed = getattr(KNOWN, section).model_copy(update={name: value})  # which validates nothing
    return KNOWN.model_copy(update={section: changed})


@each_table
@pytest.mark.parametrize("key", UNKNOWN)
def test_a_kind_that_a_table_does_not_list_is_refused_in_words(table, key):
    _, refusal = TABLES[table]
    assert refusal(KNOWN) == ""
    assert refusal(with_unknown(key)) == f"{key} is new, which is not supported"


@each_table
@pytest.mark.parametrize("key", ["layer", *UNKNOWN])
def test_a_kind_that_leaves_a_table_is_refused_too(table, key, monkeypatch):
    support, refusal = TABLES[table]
    monkeypatch.setitem(support, key, set())
    assert re.fullmatch(rf"{key} is \w+, which is not supported", refusal(KNOWN))


# what only the eager engine trains, and how the others refuse it
EAGER_ALONE = {
    "model=padding_value": "padding_value is not 0",
    "model=unit_bias": "unit_bias is true",
    "model=connections": "connections is partial",
    "model=input_side": "layer is resize",
    "model=output_codes": "layer is rbf",
    "model.pool.kind=subsample": "pool.kind is subsample",
}
# what graphs of CUDA and fleets refuse
ONE_BY_ONE = {
    "training=rubbish": "loss is rubbish",
    "training=devices": "devices is above 1",
    "training.optimizer.kind=sdlm": "optimizer.kind is sdlm",
}


@pytest.mark.parametrize(
    ("tables", "asked", "words"),
    [
        *((tuple(TABLES), *item) for item in EAGER_ALONE.items()),
        *((("graph", "fleet"), *item) for item in ONE_BY_ONE.items()),
    ],
)
def test_what_is_not_theirs_is_refused(tables, asked, words):
    (spec,) = (kind.spec for kind in KINDS if str(kind) == asked)
    for table in tables:
        _, refusal = TABLES[table]
        assert refusal(spec) == f"{words}, which is not supported"


def test_a_new_pool_is_trained_eagerly_and_drawn_with_two_lines_of_code(monkeypatch):
    spec = with_unknown("pool.kind")
    new = operations.Style("{window} new\npooling", "{window} NewPool", "#ffffff")
    monkeypatch.setitem(build.POOLS, "new", lambda _, pool: nn.LPPool2d(2, pool.size, pool.stride))
    monkeypatch.setitem(operations.STYLES, "new", new)
    for device, usual in ((CPU, "compiled"), (CUDA, "graph")):
        assert choose_engine("auto", KNOWN, LONG, device).engine == usual
        assert choose_engine("auto", spec, LONG, device) == EngineChoice("eager")
    trained(spec.model_copy(update={"training": TrainingSpec(epochs=1)}), "eager")
    assert {"2×2 new", "pooling", "2×2 NewPool, stride 2"} <= set(written(spec.model))
