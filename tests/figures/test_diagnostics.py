import numpy as np

from lenetctl.figures.diagnostics import layers_over_epochs, learning_rates


def test_the_range_test_beside_the_schedule(assert_tidy):
    rates, losses = [1e-5, 1e-2, 1.0, 10.0], [2.4, 2.0, 1.0, 3.0]
    marks = {"steepest": 0.012, "largest stable": 1.0, "suggested": 0.5, "the spec's": 0.9}
    figure = learning_rates((rates, losses), marks, ([0.0, 1.0], [0.9, 0.1]), "deep")
    tested, schedule = figure.axes
    curve, *lines = tested.lines
    assert (curve.get_xdata().tolist(), curve.get_ydata().tolist()) == (rates, losses)
    assert [line.get_xdata()[0] for line in lines] == list(marks.values())
    assert tested.get_xscale() == "log"
    assert schedule.lines[0].get_ydata().tolist() == [0.9, 0.1]
    assert_tidy(figure)


def test_a_panel_for_each_statistic(assert_tidy):
    layers = ["conv1", "dense1", "output"]
    table = np.array([[1e-5, 1e-4], [1e-3, 1e-2], [np.nan, 0.0]])
    tables = {"gradient norm": table, "update ratio": table, "saturated share": table}
    figure = layers_over_epochs(tables, layers, "deep-s0")
    assert [axes.get_title() for axes in figure.axes[::2]] == list(tables)
    (image,) = figure.axes[0].images
    np.testing.assert_array_equal(image.get_array().filled(np.nan), table)
    shares = figure.axes[4].images[0]
    assert shares.get_clim() == (0, 1)
    assert_tidy(figure)
