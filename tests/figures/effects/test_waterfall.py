import math

import pytest

from lenetctl.figures.effects.waterfall import waterfall

PARTS = [
    ("pool.kind", 0.02, (0.01, 0.03), (0.015, 0.025)),
    ("norm", -0.005, None, (-0.01, 0.0)),
    ("dense", math.nan, None, (math.nan, math.nan)),
    ("not told apart", 0.085, None, ()),
]


def test_each_bar_begins_where_the_one_above_ends(assert_tidy):
    figure = waterfall(("base", 0.8), PARTS, ("best", 0.9), "test/accuracy", "base to best")
    (axes,) = figure.axes
    bars = [(bar.get_x(), bar.get_width()) for bar in axes.patches]
    assert bars == [pytest.approx(bar) for bar in ((0.8, 0.02), (0.82, -0.005), (0.815, 0.085))]
    whiskers = [line.get_xdata() for line in axes.lines if line.get_marker() == "|"]
    assert [list(ends) for ends in whiskers] == [pytest.approx([0.81, 0.83])]
    assert [text.get_text() for text in axes.texts] == [
        *("0.8000", "+0.0200 ± 0.0100", "-0.0050", "not known", "+0.0850", "0.9000")
    ]
    assert [label.get_text() for label in axes.get_yticklabels()][0::5] == ["base", "best"]
    assert_tidy(figure)


def test_a_long_title_and_a_single_change_are_tidy(assert_tidy):
    title = f"{'long' * 20} to best, change by change"
    assert_tidy(waterfall(("a", 2.3), [("x" * 30, -1.3, None, (0, 0))], ("b", 1), "loss", title))
