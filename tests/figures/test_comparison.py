"""Many runs in one picture."""

import math

import numpy as np
import pytest

from lenetctl.figures import bands, ranked


def run(*values, metric="test/accuracy"):
    return [{"epoch": n, metric: value} for n, value in enumerate(values, start=1)]


def test_bands_show_mean_and_deviation_over_seeds(assert_tidy):
    groups = {"relu": [run(0.2, 0.8), run(0.4, 0.6)], "sigmoid": [run(0.1, 0.5)]}
    figure = bands(groups, "test/accuracy")
    (axes,) = figure.axes
    relu, sigmoid = axes.lines
    assert relu.get_ydata() == pytest.approx([0.3, 0.7])
    assert sigmoid.get_ydata() == pytest.approx([0.1, 0.5])
    (band,) = axes.collections  # none for a single run
    deviation = np.std([0.2, 0.4], ddof=1)
    at_first = band.get_paths()[0].vertices
    heights = at_first[at_first[:, 0] == 1][:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((0.3 - deviation, 0.3 + deviation))
    assert axes.get_ylabel() == "test accuracy"
    assert_tidy(figure)


def test_the_legend_stands_in_the_order_of_the_curves_ends():
    groups = {"low": [run(0.9, 0.1)], "high": [run(0.1, 0.9), run(0.1, 0.8)]}
    (legend,) = bands(groups, "test/accuracy").legends
    assert [text.get_text() for text in legend.get_texts()] == ["high (n = 2)", "low (n = 1)"]


def test_seeds_that_stopped_earlier_count_where_they_ran():
    groups = {"a": [run(0.2, 0.4, 0.6), run(0.4)]}
    (line,) = bands(groups, "test/accuracy").axes[0].lines
    assert line.get_xdata().tolist() == [1, 2, 3]
    assert line.get_ydata() == pytest.approx([0.3, 0.4, 0.6])


def test_forty_groups_have_legible_looks_of_their_own(assert_tidy):
    groups = {f"model.conv.1.channels={n}": [run(n / 50, n / 40)] for n in range(28)}
    figure = bands(groups, "test/accuracy")
    looks = {(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines}
    assert len(looks) == 28
    assert_tidy(figure)


def test_bands_of_nothing():
    for groups in ({}, {"a": []}, {"a": [[]]}, {"a": [run(math.nan)]}):
        assert bands(groups, "test/accuracy").axes


def test_ranked_puts_the_best_first(assert_tidy):
    rows = [("middle", [0.5, 0.7]), ("lost", [math.nan]), ("best", [0.9]), ("worst", [0.1])]
    figure = ranked(rows, "best/test/accuracy")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "best",
        "middle",
        "worst",
        "lost",
    ]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first on top
    assert [text.get_text() for text in axes.texts] == [
        "0.9000 (n = 1)",
        "0.6000 ± 0.1414 (n = 2)",
        "0.1000 (n = 1)",
        "no value",
    ]
    seeds = [line.get_xdata().tolist() for line in axes.lines if line.get_marker() == "o"]
    assert seeds == [[0.9], [0.5, 0.7], [0.1], []]
    means = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "D"]
    assert means[:3] == pytest.approx([0.9, 0.6, 0.1])
    assert axes.get_xlabel() == "best test accuracy"
    assert_tidy(figure)


@pytest.mark.parametrize("metric", ["final/train/loss", "epoch_seconds"])
def test_of_losses_and_seconds_the_lowest_is_best(metric):
    axes = ranked([("high", [2.0]), ("low", [1.0])], metric).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["low", "high"]


@pytest.mark.parametrize("count", [0, 1, 40])
def test_any_number_of_rows_is_legible(count, assert_tidy):
    rows = [(f"conv.1.channels={n}, pool=max", [n / 40, n / 39]) for n in range(count)]
    assert_tidy(ranked(rows, "test/accuracy"))
