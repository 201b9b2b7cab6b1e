"""Feature maps and kernels."""

import numpy as np
import pytest

from lenetctl.figures import feature_maps, feature_maps_compared, kernels

RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.random((2, 28, 28))
FEW = RANDOM.random((2, 6, 28, 28))
MANY = RANDOM.normal(size=(2, 64, 10, 10))
LABELS = ["pullover → pullover 0.81", "coat → ankle boot 0.62"]
TITLES = ["layer 1", "layer 2"]


def images(figure):
    """Return the arrays drawn, but for the scales of colours, of which each is one line high."""
    (axes,) = figure.axes
    return [np.asarray(one.get_array()) for one in axes.images if len(one.get_array()) > 1]


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_inputs_then_the_channels_of_each_layer(assert_tidy):
    figure = feature_maps(INPUTS, [FEW, MANY[:, :16]], LABELS, TITLES)
    expected = [*INPUTS, *FEW.reshape(-1, 28, 28), *MANY[:, :16].reshape(-1, 10, 10)]
    drawn = images(figure)
    assert len(drawn) == 2 + 2 * 6 + 2 * 16
    assert all(np.array_equal(one, other) for one, other in zip(drawn, expected, strict=True))
    assert {"input", *TITLES, "activation"} < set(words(figure))
    assert "coat → ankle\nboot 0.62" in words(figure)
    assert not any("channels" in word for word in words(figure))
    assert_tidy(figure)


def test_long_names_stand_apart(assert_tidy):
    long = "a long name of a class that goes on and on, " * 4
    labels = [f"{long} → {long} 0.81", f"{'x' * 99} → y 0.5"]
    assert_tidy(feature_maps(INPUTS, [FEW], labels, ["layer 1"]))


def test_a_layer_has_one_scale():
    figure = feature_maps(INPUTS, [FEW], LABELS, ["layer 1"])
    limits = [image.get_clim() for image in figure.axes[0].images]
    assert limits == [(0, 1)] * 2 + [(FEW.min(), FEW.max())] * (2 * 6 + 1)  # and that of the bar


def test_of_many_channels_the_most_active_are_shown_and_named(assert_tidy):
    maps = MANY.copy()
    active = [1, 5, *range(40, 54)]
    maps[:, active] += 10
    figure = feature_maps(INPUTS, [maps], LABELS, ["act2"])
    assert np.array_equal(images(figure)[2:], maps[:, active].reshape(-1, 10, 10))
    caption = " ".join(word for word in words(figure)[-4:] if word != "activation")
    numbers = ", ".join(map(str, active))
    assert f"16 of 64 channels, those with the largest mean activation: {numbers} " in caption
    assert_tidy(figure)


def test_rows_stand_below_each_other_and_layers_beside_each_other():
    figure = feature_maps(INPUTS, [FEW[:, :1], MANY[:, :1]], LABELS, TITLES)
    extents = [image.get_extent() for image in figure.axes[0].images]
    top, below, first, _, _, second, *_ = extents
    assert top[2] > below[3]
    assert top[1] < first[0]
    assert first[1] < second[0]
    assert first[2:] == pytest.approx(top[2:])  # in the row of its input


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.5])
def test_maps_without_a_range_are_drawn(value, assert_tidy):
    assert_tidy(feature_maps(INPUTS, [np.full((2, 20, 5, 5), value)], LABELS, ["act"]))


def test_a_dense_layer_is_a_strip():
    figure = feature_maps(INPUTS, [RANDOM.random((2, 1, 1, 120))], LABELS, ["act3"])
    left, right, bottom, top = figure.axes[0].images[2].get_extent()
    assert right - left == pytest.approx(4 * (top - bottom))


def test_runs_are_compared_each_on_its_own_scale(assert_tidy):
    runs = {"sigmoid-s0": ([FEW, MANY], LABELS), "relu-s0": ([7 * FEW, MANY[:, :3]], LABELS)}
    figure = feature_maps_compared(INPUTS, runs, TITLES)
    assert len(images(figure)) == 2 * (1 + 6 + 16) + 2 * (1 + 6 + 3)
    assert {"sigmoid-s0", "relu-s0"} < set(words(figure))
    assert words(figure).count("input") == 2
    tops = {image.get_clim()[1] for image in figure.axes[0].images}
    assert {FEW.max(), 7 * FEW.max()} < tops
    assert_tidy(figure)


@pytest.mark.parametrize("count", [1, 6, 20])
def test_kernels_are_centred_on_zero(count, assert_tidy):
    weights = RANDOM.normal(size=(count, 1, 5, 5))
    figure = kernels(weights)
    assert np.array_equal(images(figure), weights[:, 0])
    largest = np.abs(weights).max()
    assert {image.get_clim() for image in figure.axes[0].images} == {(-largest, largest)}
    assert_tidy(figure)


def test_of_many_kernels_the_first_are_drawn_and_the_caption_says_so(assert_tidy):
    figure = kernels(RANDOM.normal(size=(50, 2, 3, 3)))
    assert len(images(figure)) == 64
    assert "the first 64 of 100 kernels" in words(figure)
    assert_tidy(figure)
