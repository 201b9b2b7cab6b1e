import gzip
from pathlib import Path

import numpy as np
import pytest

from lenetctl.data import data_dir, idx
from lenetctl.data.catalog import CATALOG
from lenetctl.data.images import DIGIT_CONVENTION, MNIST_CONVENTION
from lenetctl.errors import DataError


def test_the_option_beats_the_environment_beats_the_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("LENETCTL_DATA", str(tmp_path / "env"))
    assert data_dir.choose_data_dir(tmp_path / "option") == tmp_path / "option"
    assert data_dir.choose_data_dir() == tmp_path / "env"
    monkeypatch.delenv("LENETCTL_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_dir.choose_data_dir().name == "lenetctl"


def test_a_tilde_is_the_home_folder(monkeypatch):
    monkeypatch.setenv("LENETCTL_DATA", "~/data")
    assert data_dir.choose_data_dir() == Path.home() / "data"


@pytest.mark.parametrize("name", ["kmnist", "qmnist"])
def test_reads_torchvisions_layout(write_known, name):
    source = data_dir.read_published(name, write_known(name))
    assert source.train.images.shape == (40, 28, 28)
    assert source.test.labels.tolist() == [*range(10), *range(10)]
    assert source.classes == CATALOG[name].classes
    assert source.convention == (DIGIT_CONVENTION if name == "qmnist" else MNIST_CONVENTION)


def test_archives_are_read_where_nothing_was_unpacked(write_known):
    folder = write_known()
    before = data_dir.read_published("kmnist", folder)
    for path in (folder / "KMNIST/raw").iterdir():
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    after = data_dir.read_published("kmnist", folder)
    np.testing.assert_array_equal(before.train.images, after.train.images)


def dotted(path):
    path.rename(path.with_name(path.name.replace("-idx", ".idx")))


def in_a_folder_of_its_name(path):
    content = path.read_bytes()
    path.unlink()
    path.mkdir()
    (path / path.name).write_bytes(content)


@pytest.mark.parametrize("change", [dotted, in_a_folder_of_its_name])
def test_copies_with_other_names_are_found(write_known, change):
    folder = write_known()
    before = data_dir.read_published("kmnist", folder)
    for path in list((folder / "KMNIST/raw").iterdir()):
        change(path)
    assert data_dir.is_complete("kmnist", folder)
    after = data_dir.read_published("kmnist", folder)
    np.testing.assert_array_equal(before.train.images, after.train.images)


def test_a_missing_file_names_the_folder_and_every_way_out(write_known):
    folder = write_known()
    (folder / "KMNIST/raw/t10k-labels-idx1-ubyte").unlink()
    assert not data_dir.is_complete("kmnist", folder)
    with pytest.raises(DataError) as caught:
        data_dir.read_published("kmnist", folder)
    for part in (str(folder / "KMNIST/raw"), "data fetch kmnist", "LENETCTL_DATA", "quickstart"):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_path_that_cannot_exist_is_only_missing():
    assert not data_dir.is_complete("mnist", Path("x" * 5000))


def test_other_contents_under_a_known_name_are_refused_with_the_expected_digest(write_known):
    folder = write_known("fashion_mnist")
    with pytest.raises(
        DataError, match=r"SHA-256 is .*expected SHA-256 c59f468a.*data fetch fashion"
    ):
        data_dir.read_published("fashion_mnist", folder)


def test_a_truncated_file_is_refused_with_the_expected_digest(write_known):
    folder = write_known("fashion_mnist")
    path = folder / "FashionMNIST/raw/train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(
        DataError, match=r"truncated.*expected SHA-256 c59f468a.*data fetch fashion"
    ):
        data_dir.read_published("fashion_mnist", folder)


def test_status_tells_each_file_apart(write_known):
    folder = write_known()
    raw = folder / "KMNIST/raw"
    (raw / "train-labels-idx1-ubyte").unlink()
    (raw / "t10k-images-idx3-ubyte").write_bytes(b"nonsense")
    files = data_dir.file_states("kmnist", folder)
    assert [file.state for file in files] == ["unverified", "missing", "damaged", "unverified"]
    assert [file.bytes for file in files] == [16 + 40 * 784, 0, 8, 8 + 20]
    assert [bool(file.problem) for file in files] == [False, True, True, False]


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["fashion_mnist", "mnist"])
def test_the_real_files_are_the_published_ones(real_data, name):
    files = data_dir.file_states(name, real_data)
    assert [file.state for file in files] == ["ok"] * 4
    assert [file.bytes for file in files] == [47_040_016, 60_008, 7_840_016, 10_008]


@pytest.mark.realdata
def test_one_flipped_byte_is_found(real_data, tmp_path):
    raw = tmp_path / "FashionMNIST/raw"
    raw.mkdir(parents=True)
    for file in CATALOG["fashion_mnist"].files:
        (raw / file.name).symlink_to((real_data / "FashionMNIST/raw" / file.name).resolve())
    damaged = raw / "t10k-images-idx3-ubyte"
    content = bytearray(damaged.read_bytes())
    content[5_000_000] ^= 1
    damaged.unlink()
    damaged.write_bytes(content)
    states = [file.state for file in data_dir.file_states("fashion_mnist", tmp_path)]
    assert states == ["ok", "ok", "damaged", "ok"]
    with pytest.raises(DataError, match="5b4141f0"):
        data_dir.read_published("fashion_mnist", tmp_path)


def test_emnists_images_are_turned_upright(write_known):
    folder = write_known("emnist_digits")
    published = idx.read_idx(folder / "EMNIST/raw/emnist-digits-test-images-idx3-ubyte", (28, 28))
    found = data_dir.read_published("emnist_digits", folder).test.images
    np.testing.assert_array_equal(found[3], published.array[3].T)
