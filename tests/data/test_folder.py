import io
import os
from contextlib import suppress

import numpy as np
import pytest
from helpers.strategies import FUZZ
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lenetctl.data import folder
from lenetctl.errors import DataError, UsageError


@pytest.fixture
def root(tmp_path):
    """Two classes, `cat` dark and `dog` bright, with two pictures in each split."""
    root = tmp_path / "pets"
    for split in ("train", "test"):
        for name, level in (("dog", 200), ("cat", 50)):
            (root / split / name).mkdir(parents=True)
            for suffix in ("png", "JPG"):
                picture = Image.new("RGB", (60, 40), (level, level, level))
                picture.save(root / split / name / f"one.{suffix}")
    return root


def test_pictures_become_grey_28_by_28_with_sorted_classes(root):
    (root / "train/cat/notes.txt").write_text("not a picture")
    (root / "train/.cache").mkdir()
    source = folder.read_folder(root)
    assert source.classes == ("cat", "dog")
    assert source.train.images.shape == (4, 28, 28)
    assert source.train.images.dtype == np.uint8
    assert source.train.labels.tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(source.test.images.mean((1, 2)), [50, 50, 200, 200], atol=1)


def test_shrinking_averages_instead_of_dropping_pixels(root):
    stripes = np.tile(np.array([0, 255], np.uint8), (280, 140))  # one pixel wide
    Image.fromarray(stripes).save(root / "train/cat/one.png")
    image = folder.read_folder(root).train.images[1]
    assert np.abs(image.astype(int) - 127).max() < 12


def test_a_picture_of_the_right_size_is_taken_as_it_is(root):
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    Image.fromarray(pixels).save(root / "train/cat/one.png")
    np.testing.assert_array_equal(folder.read_folder(root).train.images[1], pixels)


def refused(root, match, error=DataError):
    with pytest.raises(error, match=match):
        folder.read_folder(root)


def test_no_such_folder_and_no_test_set_explain_the_layout(root, tmp_path):
    refused(tmp_path / "nowhere", "nowhere/train: .*train/CLASS/.*test/CLASS/")
    (root / "test").rename(root / "other")
    refused(root, "pets/test: .*train/CLASS/.*test/CLASS/")


def test_a_class_that_only_the_test_set_has(root):
    (root / "test/cat").rename(root / "test/bird")
    refused(root, "test/bird: a class that .*train lacks")


def test_more_classes_than_outputs(root):
    for i in range(9):
        (root / f"train/{i}").mkdir()
        Image.new("L", (28, 28)).save(root / f"train/{i}/one.png")
    refused(root, "11 classes")


def test_a_class_without_pictures(root):
    (root / "train/emu").mkdir()
    refused(root, "train/emu: no pictures")


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x89PNG\r\n\x1a\n" + bytes(40), b"GIF89a"])
def test_an_unreadable_picture_is_named(root, content):
    (root / "train/dog/one.png").write_bytes(content)
    refused(root, "train/dog/one.png: not a readable picture")


def test_a_truncated_picture_is_named(root):
    path = root / "train/dog/one.JPG"
    path.write_bytes(path.read_bytes()[:-100])
    refused(root, "train/dog/one.JPG: not a readable picture .*Truncated")


def test_formats_that_run_programs_are_not_even_tried(root):
    Image.new("L", (28, 28)).save(root / "train/dog/one.png", format="EPS")
    refused(root, "cannot identify")


def test_a_decompression_bomb_is_refused(root, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)  # ours have 2,400: Pillow only warns
    refused(root, "decompression bomb")


def test_deep_pixels_are_refused_rather_than_cut_off(root):
    Image.fromarray(np.full((28, 28), 30_000, np.uint16)).save(root / "train/cat/one.png")
    refused(root, "more than 8 bits")


def test_a_link_that_leads_out_is_refused(root, tmp_path):
    Image.new("L", (28, 28)).save(tmp_path / "secret.png")
    (root / "train/cat/two.png").symlink_to(tmp_path / "secret.png")
    refused(root, "train/cat/two.png: a link that leads out", UsageError)


def test_a_linked_class_that_leads_out_is_refused(root, tmp_path):
    (root / "train/cat").rename(tmp_path / "cat")
    (root / "train/cat").symlink_to(tmp_path / "cat")
    refused(root, "leads out", UsageError)


def test_links_within_and_a_linked_root_are_fine(root, tmp_path):
    (root / "train/cat/two.png").symlink_to(root / "train/dog/one.png")
    (tmp_path / "link").symlink_to(root)
    assert len(folder.read_folder(tmp_path / "link").train.labels) == 5


def test_a_pipe_does_not_hang(root):
    os.mkfifo(root / "train/cat/pipe.png")
    refused(root, "pipe.png: not a file")


def picture(form):
    file = io.BytesIO()
    Image.linear_gradient("L").resize((40, 30)).save(file, form)
    return file.getvalue()


PICTURES = [picture(form) for form in folder.FORMATS]
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
)
def test_a_mutated_picture_is_read_or_refused(path, content, edits, cut):
    mutated = bytearray(content)
    for place, value in edits:
        mutated[place % len(mutated)] = value
    path.write_bytes(bytes(mutated[: cut or None]))
    with suppress(DataError):
        read = folder._labelled({"x": [path]}, ["x"], path.parent)
        assert read.images.shape == (1, 28, 28)
