from math import log

import pytest
import torch

from lenetctl.data.dataset import load_dataset
from lenetctl.errors import UsageError
from lenetctl.runs.advice import check_batch_norm, is_plateau, warnings_before
from lenetctl.runs.execute import execute
from lenetctl.runs.options import RunOptions
from lenetctl.specs.schema import DataSpec, TrainingSpec

LENET5 = [  # C5 has 120 maps of 1×1
    {"channels": 6, "kernel": 5, "padding": 2},
    {"channels": 16, "kernel": 5},
    {"channels": 120, "kernel": 5, "pool": {"kind": "none"}},
]


@pytest.mark.parametrize(
    ("images", "batch_size", "fits"),
    [(513, 64, False), (512, 64, True), (514, 64, True), (64, 1, False), (1, 64, False)],
)
def test_batch_norm_over_one_value_is_refused_before_the_first_step(
    digits, images, batch_size, fits
):
    small = digits(data={"batch_size": batch_size}, model={"conv": LENET5, "norm": "batch"})
    if fits:
        check_batch_norm(small, images)
    else:
        with pytest.raises(UsageError, match=r"data\.batch_size: .* norm3, .* choose another"):
            check_batch_norm(small, images)
    wider = digits(data={"batch_size": batch_size}, model={"conv": LENET5[:2], "norm": "batch"})
    check_batch_norm(wider, images)


def test_a_batch_of_one_begins_no_run(digits, tmp_path):
    spec = digits(data={"limit": 65, "batch_size": 64}, model={"conv": LENET5, "norm": "batch"})
    options = RunOptions(tmp_path / "runs", device="cpu")
    with pytest.raises(UsageError, match="norm3"):
        execute(spec, options)
    assert options.store.all() == []


@pytest.fixture(scope="module")
def dataset():
    return load_dataset(DataSpec(dataset="digits"))


def labelled(dataset, *counts):
    """Return `dataset` with so many images of each of a few classes."""
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    split = type(dataset.train)(dataset.train.images[: len(labels)], labels)
    names = tuple(map(str, range(len(counts))))
    return type(dataset)(**{**vars(dataset), "classes": names, "train": split})


@pytest.mark.parametrize(
    ("counts", "loss", "train", "test", "expected"),
    [
        ([50] * 10, log(10), 0.1, 0.1, True),
        ([50] * 10, log(10) - 0.1, 0.1, 0.1, False),
        ([50] * 10, log(10), 0.478, 0.1, False),
        ([50] * 10, log(10), 0.1, 0.478, False),
        ([50, 50], log(2), 0.5, 0.52, True),
        ([50, 50], log(2), 0.9, 0.5, False),
        ([50], 0.0, 1.0, 1.0, False),
        ([90, 10], log(2), 0.9, 0.9, True),
    ],
)
def test_a_plateau_is_the_loss_and_the_accuracy_of_guessing_among_the_classes_there_are(
    dataset, counts, loss, train, test, expected
):
    last = {"train/loss": loss, "train/accuracy": train, "test/accuracy": test}
    assert is_plateau(last, TrainingSpec(), labelled(dataset, *counts)) == expected


@pytest.mark.parametrize(("accuracy", "expected"), [(0.1, True), (0.478, False)])
def test_of_another_loss_than_cross_entropy_the_accuracy_alone_tells(dataset, accuracy, expected):
    last = {"train/loss": 0.4, "train/accuracy": accuracy, "test/accuracy": 0.1}
    squared = TrainingSpec(loss="squared_distance")
    assert is_plateau(last, squared, labelled(dataset, *[50] * 10)) == expected


@pytest.mark.parametrize(
    ("schedule", "warned"),
    [
        ({"kind": "cosine", "warmup": 2}, True),
        ({"warmup": 3.5}, True),
        ({"warmup": 1.9}, False),
        ({"kind": "one_cycle"}, False),
    ],
)
def test_a_warmup_without_end_is_warned_of(digits, dataset, schedule, warned):
    warnings = list(warnings_before(digits(schedule=schedule), dataset))
    assert len(warnings) == warned
    assert all("training.schedule.warmup" in warning for warning in warnings)


def test_images_that_are_all_the_same_are_warned_of(digits, dataset):
    alike = dataset.train.images[:1].expand(512, 28, 28)
    split = type(dataset.train)(alike, dataset.train.labels[:512])
    constant = type(dataset)(**{**vars(dataset), "train": split})
    (warning,) = warnings_before(digits(), constant)
    assert warning.startswith("all training images of digits are the same")
