import hashlib
import io
from contextlib import suppress

import numpy as np
import pytest
from helpers.pictures import FLAG, KINDS, orientation, plain_pictures
from helpers.strategies import FUZZ
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lenetctl.data.folder import read_folder
from lenetctl.data.images import (
    DIGIT_CONVENTION,
    FORMATS,
    MNIST_CONVENTION,
    ImageConvention,
    read_image,
)
from lenetctl.errors import DataError

SIDE = 280
DRAWN = slice(100, 180)  # of both axes: pixels 10 to 17 of the image
STRETCHED = ImageConvention("stretch", "dark", inverts=False)


@pytest.fixture
def save(tmp_path):
    def make(pixels, name="photo.png", **kwargs):
        Image.fromarray(pixels).save(tmp_path / name, **kwargs)
        return tmp_path / name

    return make


def own_image(path):
    return read_image(path, MNIST_CONVENTION)


def refused(path, match):
    with pytest.raises(DataError, match=match) as error:
        read_image(path, STRETCHED)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("background", ["dark", "light"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_is_read_as_it_looks(tmp_path, kind, background):
    shown = FLAG if background == "dark" else 255 - FLAG
    picture, suffix, options = KINDS[kind](shown)
    for split in ("train", "test"):
        path = tmp_path / split / "flag" / f"x.{suffix}"
        path.parent.mkdir(parents=True)
        picture.save(path, **options)
    atol = 2 if suffix == "jpg" else 0

    source = read_folder(tmp_path)
    for images, _ in (source.train, source.test):
        np.testing.assert_allclose(images, [shown], atol=atol)
    assert source.convention == ImageConvention("stretch", background, inverts=background == "dark")
    np.testing.assert_allclose(read_image(path, source.convention), shown, atol=atol)
    np.testing.assert_allclose(read_image(path, MNIST_CONVENTION), FLAG, atol=atol)


def test_what_is_half_transparent_lets_the_background_through(save):
    half = np.full((28, 28, 2), 128, np.uint8)
    half[..., 0] = 200
    path = save(half)
    for background, level in (("dark", 100), ("light", 227)):
        image = read_image(path, ImageConvention("stretch", background, inverts=False))
        np.testing.assert_allclose(image, level, atol=1)


def test_hidden_colours_do_not_bleed_when_a_picture_shrinks(save):
    pixels = np.zeros((SIDE, SIDE, 4), np.uint8)
    pixels[..., :3] = 255  # white under all that is transparent
    pixels[: SIDE // 2] = (0, 0, 0, 255)
    image = read_image(save(pixels), STRETCHED)
    assert image.max() <= 1


def test_plain_pictures_stay_what_they_always_were(tmp_path):
    digest = hashlib.sha256()
    for name, picture in sorted(plain_pictures().items()):
        picture.save(tmp_path / name)
        digest.update(read_image(tmp_path / name, MNIST_CONVENTION).tobytes())
    known = "c48b988b6b157b66ca192c3d58b2ce05c3af3034b60cddb275b11c90f6048c6e"
    assert digest.hexdigest() == known


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
    assert_light_square_on_dark(own_image(save(pixels)))


def test_an_image_of_the_data_set_stays_as_it_is(save):
    image = np.zeros((28, 28), np.uint8)
    image[3:25, 5:20] = np.random.default_rng(0).integers(0, 256, (22, 15))
    np.testing.assert_array_equal(own_image(save(image)), image)


def test_sides_keep_their_proportion(save):
    tall = own_image(save(square(240, 20, side=2 * SIDE)))
    lit = tall > 128
    assert lit.any(0).sum() == lit.any(1).sum() == 4
    assert (tall[:, :7] < 20).all()


def test_a_photograph_is_turned_upright(save):
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    pixels[10 : SIDE // 4, 10:-10] = 255  # its upper part, which is to be on the right
    turned = own_image(save(pixels, "photo.jpg", exif=orientation(6), quality=95))
    assert turned[14, 24] > 200
    assert turned[3, 10] < 50


def test_a_picture_is_stretched_as_those_of_a_folder_are(save):
    image = read_image(save(square(20, 240, side=2 * SIDE)), STRETCHED) > 128
    assert (image.any(1).sum(), image.any(0).sum()) == (4, 8)


def test_light_pictures_are_inverted_only_for_data_that_are_dark(save):
    light = save(255 - FLAG)
    for background in ("dark", "light"):
        for inverts in (True, False):
            image = read_image(light, ImageConvention("stretch", background, inverts=inverts))
            np.testing.assert_array_equal(image, FLAG if inverts else 255 - FLAG)
    np.testing.assert_array_equal(read_image(save(FLAG), MNIST_CONVENTION), FLAG)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n\0\0", b"GIF89a"])
def test_what_is_no_picture_is_named(tmp_path, content):
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    refused(path, r"photo\.png: not a readable picture")
    refused(tmp_path / "none.png", r"none\.png: .*No such file")
    refused(tmp_path, "not a readable picture")


def test_a_truncated_picture_is_named(save):
    path = save(square(240, 20), "photo.jpg")
    path.write_bytes(path.read_bytes()[:-100])
    refused(path, "photo.jpg: not a readable picture .*[Tt]runcated")


def test_formats_that_run_programs_are_not_even_tried(tmp_path):
    Image.new("L", (28, 28)).save(tmp_path / "x.png", format="EPS")
    refused(tmp_path / "x.png", "cannot identify")


@pytest.mark.parametrize("most", [30_000, 50_000])  # from there on Pillow warns, and at twice that
def test_a_decompression_bomb_is_refused(save, monkeypatch, most):
    path = save(square(240, 20))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
    refused(path, "decompression bomb")


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_deeper_pixels_are_refused_rather_than_cut_off(save, dtype):
    refused(save(np.full((28, 28), 30_000, dtype), "x.tif"), "more than 16 bits")


def test_odd_metadata_warn_nobody(save, recwarn):
    read_image(save(FLAG, exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(300)), STRETCHED)
    assert not recwarn.list


def encoded(form):
    file = io.BytesIO()
    picture = Image.linear_gradient("L").resize((40, 30))
    picture.putalpha(128)
    picture.convert("RGB" if form == "JPEG" else "RGBA").save(file, form, exif=orientation(6))
    return file.getvalue()


PICTURES = [encoded(form) for form in FORMATS]
PLACES = st.integers(0, 30) | st.integers(0, 2000)  # the header as often as all the rest


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("pictures") / "x.png"


@pytest.mark.fuzz
@settings(max_examples=3 * FUZZ, deadline=None)
@given(
    content=st.sampled_from(PICTURES),
    edits=st.lists(st.tuples(PLACES, st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 2000),
    convention=st.sampled_from([MNIST_CONVENTION, DIGIT_CONVENTION, STRETCHED]),
)
def test_a_mutated_picture_is_read_or_refused(path, content, edits, cut, convention):
    mutated = bytearray(content)
    for place, value in edits:
        mutated[place % len(mutated)] = value
    path.write_bytes(bytes(mutated[: cut or None]))
    with suppress(DataError):
        image = read_image(path, convention)
        assert (image.shape, image.dtype) == ((28, 28), np.uint8)
