"""Many runs in one picture."""

import math

import numpy as np
import pytest

from lenetctl.figures import bands, ranked
from lenetctl.figures.comparison import MOST_CURVES, MOST_ROWS


def curve(*means, stds=None, n=1):
    epochs = np.arange(1, len(means) + 1)
    return n, epochs, np.array(means), np.array(stds or [math.nan] * len(means))


def test_bands_show_mean_and_deviation_over_seeds(assert_tidy):
    curves = {
        "relu": curve(0.3, 0.7, stds=[0.14, 0.2], n=2),
        "sigmoid": curve(0.1, 0.5),
    }
    figure = bands(curves, "test/accuracy")
    (axes,) = figure.axes
    relu, sigmoid = axes.lines
    assert relu.get_ydata() == pytest.approx([0.3, 0.7])
    assert sigmoid.get_ydata() == pytest.approx([0.1, 0.5])
    (band,) = axes.collections  # none for a single run
    at_first = band.get_paths()[0].vertices
    heights = at_first[at_first[:, 0] == 1][:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((0.3 - 0.14, 0.3 + 0.14))
    assert axes.get_ylabel() == "test accuracy"
    assert_tidy(figure)


def test_the_legend_stands_in_the_order_of_the_curves_ends():
    curves = {"low": curve(0.9, 0.1), "high": curve(0.1, 0.85, stds=[0.0, 0.07], n=2)}
    (legend,) = bands(curves, "test/accuracy").legends
    assert [text.get_text() for text in legend.get_texts()] == ["high (n = 2)", "low (n = 1)"]


def test_all_groups_that_are_drawn_have_legible_looks_of_their_own(assert_tidy):
    curves = {f"model.conv.1.channels={n}": curve(n / 50, n / 40) for n in range(30)}
    figure = bands(curves, "test/accuracy")
    looks = {(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines}
    assert len(looks) == MOST_CURVES
    assert_tidy(figure)


def test_bands_of_nothing():
    for curves in ({}, {"a": curve()}, {"a": curve(math.nan)}):
        assert bands(curves, "test/accuracy").axes


def test_ranked_shows_rows_as_they_come(assert_tidy):
    rows = [
        ("best", [0.9], 0.9, None),
        ("middle", [0.5, 0.7], 0.6, 0.14142),
        ("worst", [0.1], 0.1, None),
    ]
    figure = ranked(rows, "test/accuracy", "last epoch")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["best", "middle", "worst"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first on top
    assert [text.get_text() for text in axes.texts] == [
        "0.9000 (n = 1)",
        "0.6000 ± 0.1414 (n = 2)",
        "0.1000 (n = 1)",
    ]
    seeds = [line.get_xdata().tolist() for line in axes.lines if line.get_marker() == "o"]
    assert seeds == [[0.9], [0.5, 0.7], [0.1]]
    means = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "D"]
    assert means == [0.9, 0.6, 0.1]
    assert axes.get_xlabel().splitlines() == [
        "test accuracy, last epoch",
        "dot: a seed; diamond and bar: mean ± standard deviation",
    ]
    assert_tidy(figure)


@pytest.mark.parametrize("count", [0, 1, 40])
def test_any_number_of_rows_is_legible(count, assert_tidy):
    rows = [
        (f"conv.1.channels={n}, pool=max", [n / 40, n / 39], n / 39.5, n / 4000)
        for n in range(count)
    ]
    assert_tidy(ranked(rows, "test/accuracy"))


def test_of_three_hundred_groups_the_first_are_drawn_and_the_rest_counted(assert_tidy):
    names = [f"conv.1.channels={n}" for n in range(300)]
    ranking = ranked([(name, [0.8, 0.9], 0.85, 0.05) for name in names], "test/accuracy")
    (axes,) = ranking.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == names[:MOST_ROWS]
    assert axes.get_xlabel().endswith(f"the first {MOST_ROWS} of 300 groups")
    curves = bands({name: curve(0.5, 0.8) for name in names}, "test/accuracy")
    (legend,) = curves.legends
    assert len(curves.axes[0].lines) == MOST_CURVES
    assert legend.get_title().get_text() == f"the first {MOST_CURVES} of 300"
    for figure in (ranking, curves):
        assert figure.get_size_inches().max() < 10
        assert_tidy(figure)


def test_a_net_that_failed_does_not_squeeze_the_others(assert_tidy):
    learned = [(f"{n} units", [0.9 + n / 1000], 0.9 + n / 1000, None) for n in range(5)]
    figure = ranked([*learned, ("dead", [0.1], 0.1, None)], "test/accuracy")
    (axes,) = figure.axes
    assert 0.89 < axes.get_xlim()[0] < 0.9
    (arrow,) = [line for line in axes.lines if line.get_marker() == "<"]
    assert arrow.get_ydata()[0] == 5
    assert_tidy(figure)
    losses = {"a": curve(0.6, 0.5), "b": curve(0.7, 0.55), "diverged": curve(2.0, 1e6)}
    assert bands(losses, "train/loss").axes[0].get_ylim()[1] < 10
