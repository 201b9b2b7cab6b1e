import numpy as np
import pytest
from PIL import Image

from lenetctl.data.images import read_picture
from lenetctl.errors import UsageError

SIDE = 280
DRAWN = slice(100, 180)  # of both axes: pixels 10 to 17 of the image


@pytest.fixture
def save(tmp_path):
    def make(pixels, name="photo.png", **kwargs):
        Image.fromarray(pixels).save(tmp_path / name, **kwargs)
        return tmp_path / name

    return make


def square(background, drawn, side=SIDE, dtype=np.uint8):
    pixels = np.empty((side, SIDE, *np.shape(background)), dtype)
    pixels[:] = background
    pixels[(side - SIDE) // 2 :][DRAWN, DRAWN] = drawn
    return pixels


def assert_light_square_on_dark(image):
    assert image.shape == (28, 28)
    assert image.dtype == np.uint8
    assert (image[12:16, 12:16] > 180).all()
    assert (image[:8] < 60).all()
    assert (image[20:] < 60).all()


@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param(square(0, 255), id="as the data"),
        pytest.param(square(240, 20), id="dark on light"),
        pytest.param(square((250, 240, 230), (0, 0, 90)), id="colour"),
        pytest.param(square(60_000, 500, dtype=np.uint16), id="16 bits"),
        pytest.param(square((255, 255, 255, 0), (0, 0, 0, 255)), id="dark on transparent"),
        pytest.param(square((0, 0, 0, 0), (20, 20, 20, 255)), id="dark on transparent black"),
        pytest.param(square((255, 255, 255, 0), (255, 255, 240, 255)), id="light on transparent"),
        pytest.param(square(240, 20, side=360), id="not square"),
    ],
)
def test_every_picture_becomes_light_on_dark(save, pixels):
    assert_light_square_on_dark(read_picture(save(pixels)))


def test_an_image_of_the_data_set_stays_as_it_is(save):
    image = np.zeros((28, 28), np.uint8)
    image[3:25, 5:20] = np.random.default_rng(0).integers(0, 256, (22, 15))
    np.testing.assert_array_equal(read_picture(save(image)), image)


def test_sides_keep_their_proportion(save):
    tall = read_picture(save(square(240, 20, side=2 * SIDE)))
    lit = tall > 128
    assert lit.any(0).sum() == lit.any(1).sum() == 4
    assert (tall[:, :7] < 20).all()


def test_a_photograph_is_turned_upright(save):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    pixels[10 : SIDE // 4, 10:-10] = 255  # its upper part, which is to be on the right
    turned = read_picture(save(pixels, "photo.jpg", exif=exif, quality=95))
    assert turned[14, 24] > 200
    assert turned[3, 10] < 50


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n\0\0"])
def test_what_is_no_picture_is_named(tmp_path, content):
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"photo\.png: not a readable picture") as refused:
        read_picture(path)
    assert "\n" not in str(refused.value)
    with pytest.raises(UsageError, match=r"none\.png: .*No such file"):
        read_picture(tmp_path / "none.png")
