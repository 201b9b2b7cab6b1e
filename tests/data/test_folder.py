import os
import shutil
import sys

import numpy as np
import pytest
from helpers.pictures import plain_pictures
from PIL import Image

from lenetctl.data import folder
from lenetctl.data.dataset import load_dataset
from lenetctl.data.images import ImageConvention, read_image
from lenetctl.errors import DataError, UsageError
from lenetctl.runs.advice import warnings_before
from lenetctl.specs.schema import DataSpec, Spec


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


def test_plain_pictures_give_the_data_set_that_they_always_gave(tmp_path):
    for name, picture in plain_pictures().items():
        for split in ("train", "test"):
            path = tmp_path / "plain" / split / name.replace(".", "-") / name
            path.parent.mkdir(parents=True)
            picture.save(path)
    digest = load_dataset(DataSpec(dataset="folder", folder="plain"), tmp_path).digest
    assert digest == "c8c8e3ffc69219645c419507ed2d960fbe7ed05bfffdb3fb7a9a20ce9e0752c5"


def test_a_photograph_without_orientation_is_decoded_by_pillow_alone(root):
    path = root / "train/dog/one.JPG"
    pixels = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, "JPEG")
    with Image.open(path) as photograph:
        shrunk = photograph.convert("L").resize((28, 28), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(folder.read_folder(root).train.images[2], shrunk)


def digits(root, light, dark):
    """Write a data set of so many pictures on each background, an ink stroke in each."""
    grounds = [240] * light + [10] * dark
    for split in ("train", "test"):
        (root / split / "one").mkdir(parents=True, exist_ok=True)
        for number, ground in enumerate(grounds if split == "train" else (240, 10)):
            pixels = np.full((40, 20), ground, np.uint8)
            pixels[10:30, 8:12] = 250 - ground
            Image.fromarray(pixels).save(root / split / f"one/{number}.png")
    return root


@pytest.mark.parametrize(
    ("light", "dark", "background", "inverts"),
    [
        (0, 20, "dark", True),
        (2, 18, "dark", True),
        (3, 17, "dark", False),
        (10, 10, "dark", False),
        (11, 9, "light", False),
        (20, 0, "light", False),
    ],
)
def test_the_training_pictures_decide_what_happens_to_others(
    tmp_path, light, dark, background, inverts
):
    source = folder.read_folder(digits(tmp_path, light, dark))
    assert source.convention == ImageConvention("stretch", background, inverts=inverts)
    on_light, on_dark = (
        read_image(tmp_path / f"test/one/{number}.png", source.convention) for number in (0, 1)
    )
    np.testing.assert_array_equal(on_dark, source.test.images[1])
    seen = source.test.images[0]  # a picture of the data set itself is never inverted
    assert seen[0, 0] == 240
    np.testing.assert_array_equal(on_light, 255 - seen if inverts else seen)


@pytest.mark.parametrize(("light", "dark", "level"), [(3, 1, 255), (1, 3, 0)])
def test_transparent_pictures_stand_on_the_background_of_most(tmp_path, light, dark, level):
    digits(tmp_path, light, dark)
    sprite = Image.new("LA", (20, 40), (100, 0))
    sprite.putpixel((10, 20), (100, 255))
    for split in ("train", "test"):
        sprite.save(tmp_path / split / "one/x.png")
    source = folder.read_folder(tmp_path)
    for image in (source.train.images[-1], source.test.images[-1]):
        assert image[0, 0] == level
        assert image.min() < image.max()


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


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such a name")
def test_a_class_whose_name_is_not_utf8(root):
    (root / "train/cat").rename(root / "train/\udce9t\udce9")
    refused(root, r"train/\\udce9t\\udce9: its name is not UTF-8: rename the folder")


def test_a_class_without_pictures(root):
    (root / "train/emu").mkdir()
    refused(root, "train/emu: no pictures")


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x89PNG\r\n\x1a\n" + bytes(40), b"GIF89a"])
def test_an_unreadable_picture_is_named(root, content):
    (root / "train/dog/one.png").write_bytes(content)
    refused(root, "train/dog/one.png: not a readable picture .*: mend or remove it")


def test_all_unreadable_pictures_are_named_at_once(root):
    for path in ("train/dog/one.png", "train/cat/one.JPG", "test/cat/one.png"):
        (root / path).write_bytes(b"nonsense")
    refused(root, "train/cat/one.JPG: .*; .*train/dog/one.png: .*; .*test/cat/one.png: .* them$")
    for n in range(30):
        (root / f"train/dog/{n}.png").touch()
    refused(root, f"and {33 - folder.MOST_NAMED} more: mend or remove them")


def test_what_is_no_picture_is_counted_with_its_reason(root):
    assert folder.read_folder(root).skipped == ""
    for path in ("cat/a.txt", "cat/b.TXT", "dog/.DS_Store", "dog/one", "README.md"):
        (root / "train" / path).touch()
    (root / "test/cat/more").mkdir()
    assert folder.read_folder(root).skipped == (
        "6 skipped: 1 beside the folders of the classes, 1 folders, 1 hidden, 2 of kind .txt, "
        "1 without a suffix"
    )
    dataset = load_dataset(DataSpec(dataset="folder", folder="pets"), root.parent)
    spec = Spec(name="pets", data=DataSpec(dataset="folder", folder="pets"))
    assert f"pets: {dataset.skipped}" in list(warnings_before(spec, dataset))


@pytest.mark.parametrize("name", ["cat", "stranger"])
def test_an_empty_class_of_the_test_set_is_like_an_absent_one(root, name):
    shutil.rmtree(root / "test/cat")
    absent = folder.read_folder(root)
    (root / "test" / name).mkdir()
    found = folder.read_folder(root)
    assert found.classes == absent.classes
    assert found.test.labels.tolist() == absent.test.labels.tolist() == [1, 1]


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
