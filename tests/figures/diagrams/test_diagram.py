"""The chapter's two pictures, for any net."""

import pytest
from matplotlib.patches import FancyBboxPatch, Rectangle

from lenetctl.figures import compact, diagram, flow
from lenetctl.specs import plan_layers
from lenetctl.specs.schema import Conv, ModelSpec, Pool

NETS = {
    "baseline": ModelSpec(),
    "deep": ModelSpec(
        conv=(Conv(channels=64, kernel=3, padding=1),) * 4,
        pool=Pool(kind="max"),
        norm="batch",
        activation="leaky_relu",
        dense=(256, 128),
        dropout=0.25,
    ),
    "no dense layers": ModelSpec(dense=()),
    "no convolutions": ModelSpec(conv=(), dense=(65_536, 1)),
    "softmax regression": ModelSpec(conv=(), dense=()),
    "one convolution": ModelSpec(conv=(Conv(channels=4096, kernel=7, stride=3, padding=3),)),
    "padded": ModelSpec(conv=(Conv(channels=3, kernel=1, padding=64),), pool=Pool(kind="none")),
    "many": ModelSpec(
        conv=(Conv(channels=8, kernel=3, padding=1),) * 12, pool=Pool(kind="none"), dense=(9,) * 12
    ),
}


def words(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts if text.get_text()]


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("draw", [flow, compact, diagram])
def test_texts_keep_apart_and_on_the_paper(name, draw, assert_tidy):
    assert_tidy(draw(plan_layers(NETS[name])))


@pytest.mark.parametrize("name", NETS)
def test_patches_stay_on_the_paper(name, rendered):
    figure = diagram(plan_layers(NETS[name]))
    rendered(figure)
    for axes in figure.axes:
        for patch in axes.patches:
            box = patch.get_window_extent()
            assert 0 <= box.x0 <= box.x1 <= figure.bbox.x1
            assert 0 <= box.y0 <= box.y1 <= figure.bbox.y1


def test_flow_names_sizes_and_operations():
    figure = flow(plan_layers(NETS["baseline"]))
    labels = [word for word in words(figure) if "@" in word or word.startswith("image")]
    assert labels == ["image 28×28", "6@28×28", "6@14×14", "16@10×10", "16@5×5"]
    assert " ".join(words(figure)[1:7]) == "6@28×28 5×5 convolution pad 2 sigmoid 6@14×14"
    assert {"120", "84", "10", "flatten", "dense 120", "dense 84", "dense 10"} < set(words(figure))


def test_flow_is_drawn_to_scale():
    (axes,) = flow(plan_layers(NETS["baseline"])).axes
    sheets = [p for p in axes.patches if isinstance(p, Rectangle) and p.get_facecolor()[3] == 1]
    sides = [round(sheet.get_height() / sheets[0].get_height() * 28, 6) for sheet in sheets[:-3]]
    assert sides == [28] + [28] * 6 + [14] * 6 + [10] * 16 + [5] * 16
    bars = [bar.get_height() ** 2 for bar in sheets[-3:]]  # heights grow as square roots
    assert [bar / bars[2] * 10 for bar in bars] == pytest.approx([120, 84, 10])


def test_windows_are_drawn_to_scale():
    (axes,) = flow(plan_layers(NETS["baseline"])).axes
    image = axes.patches[0].get_height() / 28  # inches per pixel
    squares = [p for p in axes.patches if isinstance(p, Rectangle) and p.get_facecolor()[3] == 0]
    assert [round(square.get_height() / image) for square in squares] == [5, 1, 2, 1, 5, 1, 2, 1]


def test_compact_is_the_chapters_notation():
    figure = compact(plan_layers(NETS["baseline"]))
    boxes = [word for word in words(figure) if word != "sigmoid"]
    assert boxes[::-1] == [
        "image (28×28)",
        "5×5 Conv (6), pad 2",
        "2×2 AvgPool, stride 2",
        "5×5 Conv (16)",
        "2×2 AvgPool, stride 2",
        "FC (120)",
        "FC (84)",
        "FC (10)",
    ]
    heights = [p.get_y() for p in figure.axes[0].patches if isinstance(p, FancyBboxPatch)]
    assert heights == sorted(heights, reverse=True)  # the last operation on top
    assert words(figure).count("sigmoid") == 4


def test_diagram_is_both_side_by_side():
    layers = plan_layers(NETS["deep"])
    figure = diagram(layers)
    assert words(figure) == words(flow(layers)) + words(compact(layers))
    left, right = figure.axes
    assert left.get_xlim()[0] > right.get_xlim()[0]  # its origin is further left


def test_windows_that_are_not_square(assert_tidy):
    convs = Conv(channels=6, kernel=(1, 5)), Conv(channels=8, kernel=(7, 3), padding=1)
    figure = diagram(plan_layers(ModelSpec(conv=convs)))
    written = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert {"1×5", "6@28×24", "7×3", "8@10×12", "7×3 Conv (8), pad 1"} <= written
    assert_tidy(figure)
