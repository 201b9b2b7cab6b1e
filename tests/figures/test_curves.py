"""The book's figure."""

import math

import numpy as np
import pytest

from lenetctl.figures import curves

# what the chapter prints: train loss, train accuracy, test accuracy
BOOK = [
    {"epoch": n, "train/loss": loss, "train/accuracy": train, "test/accuracy": test}
    for n, (loss, train, test) in enumerate(
        [(2.35, 0.10, 0.10), (2.13, 0.16, 0.33), (1.08, 0.56, 0.64), (0.56, 0.78, 0.731)], start=1
    )
]


def lines(figure):
    return {line.get_label(): line for axes in figure.axes for line in axes.lines}


def test_the_books_three_curves(assert_tidy):
    figure = curves(BOOK, "baseline-s0")
    drawn = lines(figure)
    assert list(drawn) == ["train loss 0.560", "train acc 0.780", "test acc 0.731"]
    for line, key in zip(
        drawn.values(), ("train/loss", "train/accuracy", "test/accuracy"), strict=True
    ):
        assert line.get_xdata().tolist() == [1, 2, 3, 4]
        assert line.get_ydata().tolist() == [epoch[key] for epoch in BOOK]
    loss_axes, accuracy_axes = figure.axes
    assert loss_axes.get_xlabel() == "epoch"
    assert loss_axes.get_ylabel() == "loss (nats)"
    assert accuracy_axes.get_ylabel() == "accuracy"
    assert [text.get_text() for text in figure.texts] == ["baseline-s0"]
    assert_tidy(figure)


def test_one_grid_serves_both_axes():
    loss_axes, accuracy_axes = curves(BOOK).axes
    assert loss_axes.get_yticks().tolist() == [0, 0.5, 1, 1.5, 2, 2.5]
    assert accuracy_axes.get_yticks() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert loss_axes.get_ylim() == (0, 2.5)
    assert accuracy_axes.get_ylim() == (0, 1)


@pytest.mark.parametrize(("loss", "top"), [(0.0031, 0.004), (0.56, 1), (2.3, 2.5), (7e4, 1e5)])
def test_the_largest_loss_fits(loss, top):
    figure = curves([{"epoch": 1, "train/loss": loss}])
    assert figure.axes[0].get_ylim() == pytest.approx((0, top))


def test_with_validation_the_test_accuracy_is_one_point(assert_tidy):
    epochs = [
        {key: value for key, value in epoch.items() if key != "test/accuracy"} for epoch in BOOK
    ]
    epochs = [{**epoch, "validation/accuracy": 0.7} for epoch in epochs]
    epochs[-1]["test/accuracy"] = 0.72
    name = ",".join(["model.pool.kind=max"] * 5)
    figure = curves(epochs, name)
    drawn = lines(figure)
    assert list(drawn)[2:] == ["validation acc 0.700", "test acc 0.720"]
    assert np.isfinite(drawn["test acc 0.720"].get_ydata()).tolist() == [False] * 3 + [True]
    assert_tidy(figure)


@pytest.mark.parametrize("count", [1, 25])
def test_points_of_short_runs_are_marked(count, assert_tidy):
    epochs = [{**BOOK[0], "epoch": n} for n in range(1, count + 1)]
    figure = curves(epochs)
    for line in lines(figure).values():
        assert line.get_marker() not in ("", "None")
        assert line.get_markevery() == [True] * count
    assert_tidy(figure)


def test_of_long_runs_only_points_without_neighbours_are_marked():
    epochs = [{**BOOK[0], "epoch": n} for n in range(40)]
    for n in (10, 12):
        epochs[n]["train/loss"] = math.nan
    loss, accuracy, _ = lines(curves(epochs)).values()
    assert np.flatnonzero(loss.get_markevery()).tolist() == [11]
    assert not any(accuracy.get_markevery())


def test_a_run_of_one_epoch_has_that_epoch_on_its_axis(rendered):
    figure = curves(BOOK[:1])
    rendered(figure)
    low, high = figure.axes[0].get_xlim()
    ticks = [tick for tick in figure.axes[0].get_xticks() if low <= tick <= high]
    assert ticks == [1]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_breaks_the_line(value, assert_tidy):
    epochs = [dict(epoch) for epoch in BOOK]
    epochs[1]["train/loss"] = value
    figure = curves(epochs)
    loss = figure.axes[0].lines[0].get_ydata()
    assert np.isfinite(loss).tolist() == [True, False, True, True]
    assert_tidy(figure)


def test_nothing_to_show_is_an_empty_figure(assert_tidy):
    diverged = [{"epoch": 1, "train/loss": math.nan}]
    for epochs in ([], diverged):
        figure = curves(epochs)
        assert not lines(figure)
        assert_tidy(figure)
