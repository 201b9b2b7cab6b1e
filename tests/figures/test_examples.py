import numpy as np

from lenetctl.figures.examples import examples


def test_a_tile_for_each_image_on_one_scale(assert_tidy):
    images = np.linspace(-1, 2, 2 * 3 * 4).reshape(2, 3, 2, 2)
    figure = examples(images, ["ankle boot", "coat"], ["1", "1 drawn 1", "2"], "best: fashion")
    (axes,) = figure.axes
    *tiles, bar = axes.images
    assert len(tiles) == 6
    assert {tile.get_clim() for tile in tiles} == {(-1.0, 2.0)} == {bar.get_clim()}
    np.testing.assert_array_equal(tiles[1].get_array(), images[1, 0])
    assert_tidy(figure)
