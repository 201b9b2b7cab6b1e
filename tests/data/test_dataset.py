import numpy as np
import pytest
import torch
from PIL import Image

from lenetctl.data.dataset import load_dataset
from lenetctl.data.images import MNIST_CONVENTION, ImageConvention
from lenetctl.errors import DataError, UsageError
from lenetctl.specs.schema import DataSpec


def kmnist(**keys):
    return DataSpec(dataset="kmnist", **keys)


def test_digits_load_without_a_network(tmp_path):
    data = load_dataset(DataSpec(dataset="digits"), tmp_path / "nowhere")
    assert data.train.images.shape == (1437, 28, 28)
    assert data.train.images.dtype == torch.uint8
    assert data.train.labels.dtype == torch.int64
    assert data.validation is None
    assert len(data.classes) == 10
    assert data.convention == MNIST_CONVENTION


def test_known_files_load(write_known):
    data = load_dataset(kmnist(), write_known(), download=False)
    assert data.train.images.shape == (40, 28, 28)
    assert data.test.labels.tolist() == [*range(10), *range(10)]
    pixels = data.train.images.double() / 255
    assert data.mean == pytest.approx(pixels.mean().item(), abs=1e-12)
    assert data.std == pytest.approx(pixels.std(correction=0).item(), abs=1e-12)


def test_validation_is_stratified_and_apart(write_known):
    data = load_dataset(kmnist(validation=20), write_known())
    assert data.validation is not None
    assert data.validation.labels.bincount().tolist() == [2] * 10
    assert data.train.labels.bincount().tolist() == [2] * 10
    both = torch.cat((data.train.images, data.validation.images)).flatten(1)
    assert len(both.unique(dim=0)) == 40


def test_limit_keeps_some_of_each_class_of_what_is_not_held_out(write_known):
    folder = write_known()
    everything = load_dataset(kmnist(validation=10), folder)
    limited = load_dataset(kmnist(validation=10, limit=20), folder)
    assert limited.train.labels.bincount().tolist() == [2] * 10
    kept = everything.train.images.flatten(1).tolist()
    places = [kept.index(image) for image in limited.train.images.flatten(1).tolist()]
    assert places == sorted(places)
    assert torch.equal(limited.validation.images, everything.validation.images)
    assert limited.mean == pytest.approx(limited.train.images.double().mean().item() / 255)
    assert len(load_dataset(kmnist(limit=1000), folder).train.labels) == 40


def test_limit_takes_all_classes_of_a_data_set_that_is_sorted_by_class(write_known):
    data = load_dataset(kmnist(limit=20), write_known(train_labels=np.arange(40) // 4))
    assert data.train.labels.bincount().tolist() == [2] * 10


def test_the_digest_is_of_all_that_was_published(write_known):
    folder = write_known()
    digest = load_dataset(kmnist(), folder).digest
    assert digest == load_dataset(kmnist(validation=10, limit=3), folder).digest
    labels = folder / "KMNIST/raw/t10k-labels-idx1-ubyte"
    labels.write_bytes(labels.read_bytes()[:-1] + b"\3")
    assert digest != load_dataset(kmnist(), folder).digest


@pytest.mark.parametrize("count", [40, 1_000_000])
def test_holding_out_everything_is_refused(write_known, count):
    with pytest.raises(UsageError, match=r"data.validation: holds out .* of kmnist's 40"):
        load_dataset(kmnist(validation=count), write_known())


def test_labels_out_of_range_and_too_few_labels_are_refused(write_known):
    with pytest.raises(DataError, match="labels from 0 to 10"):
        load_dataset(kmnist(), write_known(test_labels=np.arange(20) % 11))
    with pytest.raises(DataError, match="40 images but 39 labels"):
        load_dataset(kmnist(), write_known(train_labels=np.zeros(39)))


def test_files_without_images_are_refused(write_known, to_idx):
    folder = write_known()
    for file, shape in (("images-idx3", (0, 28, 28)), ("labels-idx1", (0,))):
        path = folder / f"KMNIST/raw/t10k-{file}-ubyte"
        path.write_bytes(to_idx(np.zeros(shape, np.uint8)))
    with pytest.raises(DataError, match="kmnist: its test set is empty"):
        load_dataset(kmnist(), folder)


def test_missing_files_are_not_fetched_when_told_so(tmp_path):
    with pytest.raises(DataError, match="no complete mnist"):
        load_dataset(DataSpec(dataset="mnist"), tmp_path, download=False)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_looked_up_in_the_data_folder(tmp_path):
    for place in ("train/a", "train/b", "test/b"):
        (tmp_path / "mine" / place).mkdir(parents=True)
        Image.new("L", (28, 28), 9).save(tmp_path / "mine" / place / "x.png")
    data = load_dataset(DataSpec(dataset="folder", folder="mine"), tmp_path)
    assert (data.name, data.classes) == ("mine", ("a", "b"))
    assert data.test.labels.tolist() == [1]
    assert data.std == 1.0  # all pixels alike
    assert data.convention == ImageConvention("stretch", "dark", inverts=True)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "first", "mean", "std"),
    [
        ("fashion_mnist", [9, 0, 0, 3, 0, 2, 7, 2, 5, 5], 0.2860, 0.3530),
        ("mnist", [5, 0, 4, 1, 9, 2, 1, 3, 1, 4], 0.1307, 0.3081),
    ],
)
def test_the_real_data(real_data, name, first, mean, std):
    data = load_dataset(DataSpec(dataset=name), real_data, download=False)
    assert data.train.images.shape == (60_000, 28, 28)
    assert data.test.images.shape == (10_000, 28, 28)
    assert data.train.labels[:10].tolist() == first
    assert (round(data.mean, 4), round(data.std, 4)) == (mean, std)


@pytest.mark.realdata
def test_5000_of_the_real_data_are_500_of_each_class(real_data):
    data = load_dataset(DataSpec(validation=5000), real_data, download=False)
    assert data.validation.labels.bincount().tolist() == [500] * 10
    assert data.train.labels.bincount().tolist() == [5500] * 10


@pytest.mark.parametrize(("share", "held"), [(0.1, 144), (0.0001, 1), (0.5, 718)])
def test_a_share_of_the_training_images_is_held_out(share, held):
    dataset = load_dataset(DataSpec(dataset="digits", validation=share))
    same = load_dataset(DataSpec(dataset="digits", validation=held))
    assert len(dataset.validation.labels) == held
    assert torch.equal(dataset.validation.images, same.validation.images)
    assert len(dataset.train.labels) == 1437 - held


def test_a_share_that_leaves_nothing_is_refused():
    with pytest.raises(UsageError, match="holds out 1,437 of digits's 1,437"):
        load_dataset(DataSpec(dataset="digits", validation=0.9999))
