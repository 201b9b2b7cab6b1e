"""What is lost with a channel, and with a square of an image."""

import numpy as np

from lenetctl.figures.ablation import channel_losses, occlusion_maps

CLASSES = ["all", "t-shirt [new]", "c" * 30, "衬衫", "<script>", "", "sandal", "bag", "8", "9", "x"]
LOST = np.random.default_rng(0).normal(scale=0.3, size=(80, 11))


def test_each_channel_has_a_line_and_each_class_a_column(assert_tidy):
    figure = channel_losses(
        {"act1": ([0, 1, 2], LOST[:3]), "act2": ([3, 0], LOST[3:5])}, CLASSES, "baseline-s0, test"
    )
    first, second = figure.axes
    np.testing.assert_array_equal(first.images[0].get_array(), LOST[:3])
    np.testing.assert_array_equal(second.images[0].get_array(), LOST[3:5])
    largest = np.abs(LOST[3:5]).max()
    assert second.images[0].get_clim() == (-largest, largest)
    assert [label.get_text() for label in second.get_yticklabels()] == ["3", "0"]
    written = {text.get_text() for text in figure.texts}
    assert f"{100 * LOST[0, 0]:.0f}".replace("-", "−") in written
    assert "−0" not in written
    assert_tidy(figure)


def test_of_many_channels_the_first_are_drawn_and_it_says_so(assert_tidy):
    figure = channel_losses({"dense1": (range(80), LOST)}, CLASSES, "wide")
    assert figure.axes[0].images[0].get_array().shape == (64, 11)
    assert "dense1, 64 of 80 channels" in {text.get_text() for text in figure.texts}
    assert_tidy(figure)


def test_where_there_is_nothing_to_lose_nothing_is_written(assert_tidy):
    lost = np.array([[0.25, np.nan], [0, np.nan]])
    figure = channel_losses({"act1": ([0, 1], lost)}, ["a", "b"], "")
    assert {"25", "0"} < {text.get_text() for text in figure.texts}
    assert "nan" not in {text.get_text() for text in figure.texts}
    assert_tidy(figure)


def test_each_image_stands_above_its_map(assert_tidy):
    random = np.random.default_rng(1)
    images, maps = random.random((9, 28, 28)), random.normal(size=(9, 28, 28))
    captions = ["pullover → coat 0.91", f"{'c' * 30} → 衬衫 0.50", "my [own].png → bag 1.00"] * 3
    figure = occlusion_maps(images, maps, captions, "baseline-s0: what hides the class")
    drawn = [np.asarray(one.get_array()) for one in figure.axes[0].images[:18]]
    for number in range(9):
        np.testing.assert_array_equal(drawn[2 * number], images[number])
        np.testing.assert_array_equal(drawn[2 * number + 1], maps[number])
    assert_tidy(figure)
