"""Training images as the net gets them, augmentation included."""

from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray

from lenetctl.data.augment import augment_images
from lenetctl.data.dataset import Dataset, Split
from lenetctl.data.device import DeviceSplit, stream_seed
from lenetctl.specs.schema import Spec

DRAWS = 3  # of the augmentation, for each image


@dataclass(frozen=True, eq=False)
class Examples:
    """The first training images of each class that there is."""

    classes: list[str]  # R
    images: NDArray[np.float32]  # (R, C, 28, 28), normalised; the rows of small classes repeat
    columns: list[str]  # C: which image, and which draw of the augmentation


def training_examples(dataset: Dataset, spec: Spec, per_class: int) -> Examples:
    """Return `per_class` images a class; with augmentation each as stored, then drawn anew."""
    train = dataset.train
    numbers = torch.unique(train.labels).tolist()
    rows = [(train.labels == one).nonzero()[:, 0].repeat(per_class)[:per_class] for one in numbers]
    chosen = torch.cat(rows)
    split = DeviceSplit(
        Split(train.images[chosen], train.labels[chosen]), "cpu", *dataset.normalisation(spec.data)
    )
    stored = split.all_images()
    drawn, titles = [stored], [""]
    for draw in range(1, DRAWS + 1) if spec.data.augment else ():
        seed = stream_seed("augment", spec.training.seed, draw)
        generator = torch.Generator().manual_seed(seed)
        images = augment_images(stored - split.black, spec.data.augment, generator)
        drawn.append(images + split.black)
        titles.append(f" drawn {draw}")
    images = torch.stack([one.reshape(len(numbers), per_class, 28, 28) for one in drawn], dim=2)
    columns = chain.from_iterable(
        (f"{n}{title}" for title in titles) for n in range(1, per_class + 1)
    )
    names = [dataset.classes[number] for number in numbers]
    return Examples(names, images.flatten(1, 2).numpy(), list(columns))
