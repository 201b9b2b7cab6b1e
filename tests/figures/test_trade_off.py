from lenetctl.figures.trade_off import pareto_front, trade_off


def test_the_front_is_what_nothing_cheaper_is_as_good_as():
    points = [(100, 0.8), (50, 0.7), (200, 0.8), (50, 0.6), (300, 0.9), (400, 0.85)]
    assert pareto_front(points) == [(50, 0.7), (100, 0.8), (300, 0.9)]


def test_accuracy_against_size(assert_tidy):
    points = [(61_706, 416_520, 0.81), (3_000, 40_000, 0.7), (9_000, 500_000, 0.79)]
    figure = trade_off(points, "validation/accuracy", "search: what accuracy costs")
    parameters, operations = figure.axes
    assert len(parameters.lines[1].get_xdata()) == 3
    assert list(operations.lines[1].get_xdata()) == [40_000, 416_520]
    assert_tidy(figure)
    assert not figure.legends


def test_nets_on_a_front_are_named_the_best_first(assert_tidy):
    points = [(61_706, 416_520, 0.81), (3_000, 900_000, 0.79), (90_000, 500_000, 0.8)]
    figure = trade_off(points, "test/accuracy", "what accuracy costs", ["wide", "thin", "poor"])
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["wide", "thin"]
    assert_tidy(figure)
