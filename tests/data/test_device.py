from dataclasses import replace

import pytest
import torch

from lenetctl.data.dataset import Dataset, Split
from lenetctl.data.device import DeviceDataset, DeviceSplit, stream_seed
from lenetctl.specs.data import DataSpec, Erase, Flip, Shift

DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[
            pytest.mark.gpu,
            pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
        ],
    ),
]


@pytest.fixture
def split():
    """Twenty-three images; the first pixel and the label say which one it is."""
    images = torch.randint(0, 256, (23, 28, 28), generator=torch.Generator().manual_seed(3))
    images[:, 0, 0] = torch.arange(23)
    return Split(images.to(torch.uint8), torch.arange(23))


def labels(batches):
    return [batch.tolist() for _, batch in batches]


@pytest.mark.parametrize("device", DEVICES)
def test_pixels_are_those_of_to_tensor(split, device):
    on_device = DeviceSplit(split, device)
    assert len(on_device) == 23
    images = on_device.all_images()
    assert images.dtype == torch.float32
    assert torch.equal(images.cpu()[:, 0], split.images.float() / 255)


def test_images_are_held_as_bytes_and_on_the_cpu_but_once(split):
    on_device = DeviceSplit(split, "cpu", mean=0.3, std=0.2)
    assert on_device.pixels.dtype == torch.uint8
    assert on_device.pixels.data_ptr() == split.images.data_ptr()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("mean_and_std", [(0.0, 1.0), (0.0, 0.2), (0.2860, 0.3530)])
def test_a_batch_has_the_bits_of_all_images_normalised_at_once(split, device, mean_and_std):
    mean, std = mean_and_std
    whole = split.images.to(device).unsqueeze(1).float().div_(255).sub_(mean).div_(std)
    on_device = DeviceSplit(split, device, mean, std)
    assert torch.equal(on_device.all_images(), whole)
    chosen = torch.tensor([[3, 3, 22], [0, 9, 1]], device=device)
    images, numbers = on_device[chosen]
    assert torch.equal(images, whole[chosen])
    assert torch.equal(numbers, chosen)
    batches = [*on_device.batches(10), *on_device.shuffled_batches(10, 0, 1)]
    assert all(torch.equal(some, whole[numbers]) for some, numbers in batches)


def test_batches_are_all_images_in_order(split):
    batches = list(DeviceSplit(split, "cpu").batches(10))
    assert labels(batches) == [[*range(10)], [*range(10, 20)], [20, 21, 22]]


@pytest.mark.parametrize("device", DEVICES)
def test_an_epoch_has_every_image_once_with_its_own_label(split, device):
    batches = list(DeviceSplit(split, device).shuffled_batches(10, seed=0, epoch=0))
    assert [len(batch) for _, batch in batches] == [10, 10, 3]
    images, targets = (torch.cat(part).cpu() for part in zip(*batches, strict=True))
    assert sorted(targets.tolist()) == list(range(23))
    assert (images[:, 0, 0, 0] * 255).round().long().tolist() == targets.tolist()


@pytest.mark.parametrize("device", DEVICES)
def test_the_order_is_a_function_of_seed_and_epoch(split, device):
    on_device, reference = DeviceSplit(split, device), DeviceSplit(split, "cpu")
    first = labels(on_device.shuffled_batches(10, seed=1, epoch=2))
    assert first == labels(reference.shuffled_batches(10, seed=1, epoch=2))
    assert first != labels(on_device.shuffled_batches(10, seed=1, epoch=3))
    assert first != labels(on_device.shuffled_batches(10, seed=2, epoch=2))


AUGMENT = [Flip(kind="flip"), Shift(kind="shift", pixels=4), Erase(kind="erase")]


@pytest.mark.parametrize("device", DEVICES)
def test_augmentation_repeats_with_seed_and_epoch_and_leaves_the_order(split, device):
    on_device = DeviceSplit(split, device)
    epochs = [list(on_device.shuffled_batches(10, 1, epoch, AUGMENT)) for epoch in (2, 2, 3)]
    for (one, _), (two, _) in zip(*epochs[:2], strict=True):
        assert torch.equal(one, two)
    assert not torch.equal(epochs[0][0][0], epochs[2][0][0])
    assert labels(epochs[0]) == labels(on_device.shuffled_batches(10, 1, 2))


def test_black_comes_in_at_the_borders_of_normalised_images():
    white = Split(torch.full((50, 28, 28), 255, dtype=torch.uint8), torch.zeros(50).long())
    on_device = DeviceSplit(white, "cpu", mean=0.25, std=0.5)
    ((images, _),) = on_device.shuffled_batches(50, 0, 0, [Shift(kind="shift", pixels=5)])
    values = images.unique()
    torch.testing.assert_close(values, torch.tensor([-0.5, 1.5]))


def test_the_stored_images_are_never_written_to(split):
    on_device = DeviceSplit(split, "cpu")
    before = on_device.pixels.clone()
    for images, _ in on_device.shuffled_batches(10, 0, 0, AUGMENT):
        images.zero_()
    for images, _ in on_device.shuffled_batches(10, 0, 0):
        images.zero_()
    for images, _ in on_device.batches(10):
        images.zero_()
    assert torch.equal(on_device.pixels, before)


def test_the_global_generator_is_left_alone(split):
    state = torch.get_rng_state()
    list(DeviceSplit(split, "cpu").shuffled_batches(10, 0, 0, AUGMENT))
    assert torch.equal(state, torch.get_rng_state())


def test_every_purpose_seed_and_epoch_has_a_stream_of_its_own():
    seeds = {
        stream_seed(purpose, seed, epoch)
        for purpose in ("shuffle", "augment", "dropout")
        for seed in (0, 1, 12, 2**32, 2**63 - 1)
        for epoch in (0, 1, 2, 12)
    }
    assert len(seeds) == 60
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert stream_seed("shuffle", 0, 0) == 881_150_340_907_646_623


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    "augment", [(), (Flip(kind="flip"), Shift(kind="shift"), Erase(kind="erase"))]
)
def test_columns_are_what_the_runs_would_get_alone(split, device, augment):
    on_device = DeviceSplit(split, device, mean=0.3, std=0.2)
    streams = [(0, 1), (7, 1), (0, 4)]  # seed, epoch
    together = list(on_device.fleet_batches(10, streams, augment))
    for column, (seed, epoch) in enumerate(streams):
        alone = list(on_device.shuffled_batches(10, seed, epoch, augment))
        for (images, targets), (own, truth) in zip(together, alone, strict=True):
            assert torch.equal(images[:, column], own)
            assert torch.equal(targets[:, column], truth)


@pytest.mark.parametrize(
    ("normalize", "mean", "std"), [("none", 0.0, 1.0), ("standard", 0.5, 0.25)]
)
def test_a_data_set_is_normalised_by_its_training_images(split, normalize, mean, std):
    data = Dataset("noise", ("a",), split, split, split, "", mean=0.5, std=0.25)
    on_device = DeviceDataset.of(data, DataSpec(normalize=normalize), "cpu")
    for part in (on_device.train, on_device.validation, on_device.test):
        torch.testing.assert_close(part.all_images()[:, 0], (split.images / 255 - mean) / std)
        assert torch.equal(part.labels, split.labels)


def test_validation_is_watched_where_there_is_one_and_a_short_batch_is_a_step(split):
    data = Dataset("noise", ("a",), split, None, split, "", mean=0.5, std=0.25)
    on_device = DeviceDataset.of(data, DataSpec(), "cpu")
    assert on_device.watched == ("test", on_device.test)
    assert [on_device.steps_per_epoch(size) for size in (10, 23, 24)] == [3, 1, 1]
    held_out = DeviceDataset.of(replace(data, validation=split), DataSpec(), "cpu")
    assert held_out.watched == ("validation", held_out.validation)
