"""Feature maps in a handful of pixels."""

import matplotlib as mpl
import numpy as np

from lenetctl.figures import previews
from lenetctl.figures.preview import PITCH, SIDE

RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.random((2, 28, 28))
FEW = RANDOM.random((2, 3, SIDE, SIDE))
MANY = RANDOM.random((2, 40, 5, 5))


def tile(pixels, line, place):
    top, left = line * PITCH, place * PITCH
    return pixels[:, top : top + SIDE, left : left + SIDE]


def test_the_image_then_a_line_for_each_layer():
    pixels = previews(INPUTS, [FEW, MANY], width=80)
    assert pixels.shape == (2, 2 * SIDE + 1, 80, 4)
    assert (tile(pixels, 0, 0)[..., 3] == 255).all()
    assert (tile(pixels, 1, 0)[..., 3] == 0).all()
    scaled = (FEW - FEW.min()) / (FEW.max() - FEW.min())
    colours = mpl.colormaps["viridis"](scaled, bytes=True).astype(int)
    for channel in range(3):
        drawn = tile(pixels, 0, 1 + channel).astype(int)
        assert np.abs(drawn - colours[:, channel]).max() <= 2  # float32 between
    assert (tile(pixels, 0, 4)[..., 3] == 0).all()  # there are three
    assert (tile(pixels, 1, 6)[..., 3] == 255).all()  # of forty those that have room
    assert (pixels[:, :, 7 * PITCH - 1 :, 3] == 0).all()


def test_the_most_active_channels_are_shown():
    maps = MANY.copy()
    maps[:, [7, 31]] = 2
    maps[:, 31, 2, 2] = 3
    pixels = previews(INPUTS, [maps], width=3 * PITCH)
    top = mpl.colormaps["viridis"](0.0, bytes=True)
    assert (tile(pixels, 0, 1) == top).all()
    assert not (tile(pixels, 0, 2) == top).all()


def test_a_dense_layer_is_a_strip_as_wide_as_there_is_room():
    strip = np.linspace(0, 1, 120)[None, None, None].repeat(2, axis=0)
    pixels = previews(INPUTS, [strip], width=80)
    opaque = pixels[0, 0, :, 3] == 255
    assert opaque.sum() == SIDE + (6 * PITCH - 1)
    assert opaque[PITCH : PITCH + 6 * PITCH - 1].all()


def test_a_narrow_terminal_and_maps_without_a_range_break_nothing():
    for value in (np.nan, 0.5):
        pixels = previews(INPUTS, [np.full((2, 4, 5, 5), value)], width=15)
        assert pixels.shape == (2, SIDE, 15, 4)
