"""The published numbers, and what does not fit."""

from itertools import pairwise
from math import prod

import pytest
from helpers.kinds import CODES
from helpers.strategies import FUZZ, models
from hypothesis import given, settings

from lenetctl.specs import CLASSES, INPUT_SHAPE, load_spec, plan_layers
from lenetctl.specs.layers import ShapeError
from lenetctl.specs.schema import Conv, ModelSpec, Pool

LENET = ModelSpec()
CHAPTER_SHAPES = [
    ("conv1", (6, 28, 28)),
    ("act1", (6, 28, 28)),
    ("pool1", (6, 14, 14)),
    ("conv2", (16, 10, 10)),
    ("act2", (16, 10, 10)),
    ("pool2", (16, 5, 5)),
    ("flatten", (400,)),
    ("dense1", (120,)),
    ("act3", (120,)),
    ("dense2", (84,)),
    ("act4", (84,)),
    ("output", (10,)),
]


def test_the_twelve_layers_of_the_chapter():
    assert [(layer.name, layer.output_shape) for layer in plan_layers(LENET)] == CHAPTER_SHAPES


def test_the_notebooks_pools_leave_the_same_shapes():
    notebook = ModelSpec(pool=Pool(size=5, stride=2, padding=2))
    assert [(layer.name, layer.output_shape) for layer in plan_layers(notebook)] == CHAPTER_SHAPES


def test_parameters_of_lenet():
    counts = {layer.name: layer.parameters for layer in plan_layers(LENET) if layer.parameters}
    assert counts == {
        "conv1": 156,
        "conv2": 2416,
        "dense1": 48_120,
        "dense2": 10_164,
        "output": 850,
    }
    assert sum(counts.values()) == 61_706


LENET5 = load_spec("history/lenet5-1998").model


def test_parameters_of_lenet_5():
    """LeCun et al. (1998), section II-B."""
    counts = {layer.name: layer.parameters for layer in plan_layers(LENET5) if layer.parameters}
    assert counts == {
        "conv1": 156,
        "pool1": 12,
        "conv2": 1_516,
        "pool2": 32,
        "dense1": 48_120,
        "dense2": 10_164,
    }
    assert sum(counts.values()) == 60_000


def connections(model):
    """Every input of a unit and its bias; RBF units have no bias."""
    return {
        layer.name: layer.macs + prod(layer.output_shape) * (layer.parameters > 0)
        for layer in plan_layers(model)
        if layer.macs
    }


def test_connections_of_lenet_5():
    """The same section."""
    counts = connections(LENET5)
    assert counts == {
        "conv1": 122_304,
        "pool1": 5_880,
        "conv2": 151_600,
        "pool2": 2_000,
        "dense1": 48_120,
        "dense2": 10_164,
        "output": 840,
    }
    assert sum(counts.values()) == 340_908


def test_maps_read_what_the_papers_table_says():
    """Table I."""
    table = "012 123 234 345 045 015 0123 1234 2345 0345 0145 0125 0134 1245 0235 012345"
    read = LENET5.conv[1].connections
    assert " ".join("".join(map(str, inputs)) for inputs in read) == table


def test_parameters_of_1989():
    """LeCun et al., "Backpropagation applied to handwritten zip code recognition" (1989)."""
    model = load_spec("history/lecun1989").model
    plan = plan_layers(model)
    counts = {layer.name: layer.parameters for layer in plan if layer.parameters}
    assert counts == {"conv1": 1_068, "conv2": 2_592, "dense1": 5_790, "dense2": 310}
    shapes = {layer.name: layer.output_shape for layer in plan}
    assert (shapes["conv1"], shapes["conv2"]) == ((12, 8, 8), (12, 4, 4))
    counts = connections(model)
    del counts["output"]  # ten units of the paper, whose distances to codes are none of it
    assert sum(counts.values()) == 64_660


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"connections": ((0,),)}, "conv2 has 16 channels, the table 1 rows"),
        ({"connections": ((0, 6),) * 16}, "channels of conv2 read some of 0 to 5"),
        ({"connections": ((1, 0),) * 16}, "in ascending order"),
        ({"connections": ((1, 1),) * 16}, "in ascending order"),
    ],
)
def test_a_table_of_connections_that_does_not_fit(changed, words):
    second = Conv(channels=16, kernel=5, **changed)
    with pytest.raises(ShapeError, match=words) as error:
        plan_layers(ModelSpec(conv=(Conv(channels=6, kernel=5), second)))
    assert error.value.at[:3] == ("conv", 1, "connections")


def test_codes_that_do_not_fit_the_layer_before_them():
    with pytest.raises(ShapeError, match="has 6 signs, and the layer before the output 84 units"):
        plan_layers(ModelSpec(output_codes=CODES))


def test_without_the_first_bias():
    convs = (Conv(channels=6, kernel=5, padding=2, bias=False), Conv(channels=16, kernel=5))
    assert sum(layer.parameters for layer in plan_layers(ModelSpec(conv=convs))) == 61_700


def test_macs_of_lenet():
    # 0.83 MFLOP forward at two operations each
    assert (
        sum(layer.macs for layer in plan_layers(LENET)) == 117_600 + 240_000 + 48_000 + 10_080 + 840
    )


def test_every_kind_of_layer():
    convs = (
        Conv(channels=2, kernel=3, norm="batch", activation="none"),
        Conv(channels=3, kernel=3, pool=Pool(kind="none")),
    )
    model = ModelSpec(conv=convs, dense=(7,), dropout=0.5)
    names = "conv1 norm1 pool1 conv2 act2 flatten dropout1 dense1 act3 dropout2 output"
    layers = {layer.name: layer for layer in plan_layers(model)}
    assert " ".join(layers) == names
    assert (layers["norm1"].parameters, layers["dropout1"].config) == (4, 0.5)


def test_no_convolution_and_no_hidden_layer():
    layers = plan_layers(ModelSpec(conv=(), dense=()))
    assert [layer.name for layer in layers] == ["flatten", "output"]
    assert layers[-1].parameters == 28 * 28 * 10 + 10


@pytest.mark.parametrize(
    ("model", "message", "at"),
    [
        (
            {"conv": [{"channels": 1, "kernel": 30}]},
            "conv1 would be 0×0: a 30×30 window does not fit 28×28",
            ("conv", 0),
        ),
        (
            {"conv": [{"channels": 1, "kernel": 40, "padding": 2}]},
            "conv1 would be 0×0: a 40×40 window does not fit 28×28 (32 with padding)",
            ("conv", 0),
        ),
        (
            {"conv": [{"channels": 1, "kernel": 5}], "pool": {"size": 25}},
            "pool1 would be 0×0: a 25×25 window does not fit 24×24",
            ("pool",),
        ),
        (
            {"conv": [{"channels": 1, "kernel": 5, "pool": {"size": 25}}]},
            "pool1 would be 0×0: a 25×25 window does not fit 24×24",
            ("conv", 0, "pool"),
        ),
    ],
)
def test_what_does_not_fit(model, message, at):
    with pytest.raises(ShapeError) as refused:
        plan_layers(ModelSpec.model_validate(model))
    assert str(refused.value) == message
    assert refused.value.at == at


@settings(max_examples=FUZZ, deadline=None)
@given(model=models())
def test_each_layer_takes_what_the_one_before_gives(model):
    layers = plan_layers(model)
    assert layers[0].input_shape == INPUT_SHAPE
    assert layers[-1].output_shape == (CLASSES,)
    for before, layer in pairwise(layers):
        assert layer.input_shape == before.output_shape
    assert all(side >= 1 for layer in layers for side in layer.output_shape)
    assert len({layer.name for layer in layers}) == len(layers)


def test_windows_that_are_not_square():
    convs = Conv(channels=6, kernel=(1, 5)), Conv(channels=8, kernel=(7, 3), padding=1)
    model = ModelSpec(conv=convs)
    layers = {layer.name: layer for layer in plan_layers(model)}
    assert layers["conv1"].output_shape == (6, 28, 24)
    assert layers["pool1"].output_shape == (6, 14, 12)
    assert layers["conv2"].output_shape == (8, 10, 12)
    assert layers["conv2"].parameters == 6 * 7 * 3 * 8 + 8
    assert layers["conv2"].macs == 6 * 7 * 3 * 8 * 10 * 12
    with pytest.raises(ShapeError, match="a 1×40 window does not fit 28×28"):
        plan_layers(ModelSpec(conv=(Conv(channels=1, kernel=(1, 40)),)))
