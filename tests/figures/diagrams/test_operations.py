"""Layers in the words of the diagrams."""

from lenetctl.figures.diagrams.operations import operations
from lenetctl.specs import plan_layers
from lenetctl.specs.schema import Conv, ModelSpec, Pool


def told(model):
    return [
        (one.kind, one.shape, one.window, one.options, one.before, one.after)
        for one in operations(plan_layers(model))
    ]


def test_the_chapters_net():
    assert told(ModelSpec()) == [
        ("image", (1, 28, 28), (0, 0), [], [], []),
        ("conv", (6, 28, 28), (5, 5), ["pad 2"], [], ["sigmoid"]),
        ("avg", (6, 14, 14), (2, 2), ["stride 2"], [], []),
        ("conv", (16, 10, 10), (5, 5), [], [], ["sigmoid"]),
        ("avg", (16, 5, 5), (2, 2), ["stride 2"], [], []),
        ("dense", (120,), (0, 0), [], ["flatten"], ["sigmoid"]),
        ("dense", (84,), (0, 0), [], [], ["sigmoid"]),
        ("dense", (10,), (0, 0), [], [], []),
    ]


def test_norm_activation_and_dropout_are_told_with_their_neighbours():
    model = ModelSpec(
        conv=(Conv(channels=8, kernel=3, stride=2),),
        pool=Pool(kind="max", padding=1),
        norm="batch",
        activation="leaky_relu",
        dense=(),
        dropout=0.5,
    )
    assert told(model)[1:] == [
        ("conv", (8, 13, 13), (3, 3), ["stride 2"], [], ["batch norm", "leaky ReLU"]),
        ("max", (8, 7, 7), (2, 2), ["stride 2", "pad 1"], [], []),
        ("dense", (10,), (0, 0), [], ["flatten", "dropout 0.5"], []),
    ]
