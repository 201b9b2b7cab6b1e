"""A data set of one's own: a folder of pictures for each class. The pictures may be hostile."""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from lenetctl.data.images import FORMATS, Background, ImageConvention, Picture, read_picture
from lenetctl.data.raw import LabelledImages, RawDataset
from lenetctl.errors import DataError, UsageError
from lenetctl.specs import CLASSES

SUFFIXES = set(chain.from_iterable(FORMATS.values()))
MOSTLY = 0.9  # share of dark training pictures from which a user's light picture is inverted


def read_folder(root: Path) -> RawDataset:
    """Return the pictures in `root`/train/CLASS and `root`/test/CLASS as grey 28×28 images.

    Classes are numbered in the order of their names, as torchvision's ImageFolder does. What is
    transparent becomes dark or light as the background of most training pictures is.

    Raises:
        DataError: the layout is another, or a picture cannot be read.
        UsageError: a symbolic link leads out of `root`.

    """
    try:
        train, test = _paths(root / "train"), _paths(root / "test")
    except OSError as error:
        raise DataError(f"{root}: cannot be read ({error.strerror})") from error
    classes = tuple(train)
    if len(classes) > CLASSES:
        raise DataError(f"{root / 'train'}: {len(classes)} classes, more than the net's {CLASSES}")
    if strangers := sorted(set(test) - set(train)):
        raise DataError(f"{root / 'test' / strangers[0]}: a class that {root / 'train'} lacks")
    base = root.resolve()
    train_pictures, test_pictures = _read(train, base), _read(test, base)
    convention = _convention([*chain.from_iterable(train_pictures.values())])
    return RawDataset(
        classes,
        _labelled(train_pictures, classes, convention.background),
        _labelled(test_pictures, classes, convention.background),
        convention,
    )


def _paths(split: Path) -> dict[str, list[Path]]:
    """Return the sorted files of each class, the classes sorted too."""
    folders = sorted(_visible(split)) if split.is_dir() else []
    paths = {
        folder.name: sorted(path for path in _visible(folder) if path.suffix.lower() in SUFFIXES)
        for folder in folders
        if folder.is_dir()
    }
    if not paths:
        layout = "train/CLASS/*.png and test/CLASS/*.png"
        raise DataError(f"{split}: no folder of a class in it; {split.parent} must hold {layout}")
    for name, files in paths.items():
        if name.encode(errors="ignore").decode() != name:  # half a letter, of another encoding
            raise DataError(f"{split / name}: its name is not UTF-8: rename the folder")
        if not files:
            allowed = ", ".join(sorted(SUFFIXES))
            raise DataError(f"{split / name}: no pictures in it ({allowed})")
    return paths


def _visible(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def _read(paths: Mapping[str, Sequence[Path]], base: Path) -> dict[str, list[Picture]]:
    return {name: [_picture(path, base) for path in files] for name, files in paths.items()}


def _picture(path: Path, base: Path) -> Picture:
    if not path.is_file():
        raise DataError(f"{path}: not a file: mend or remove it")
    if not path.resolve().is_relative_to(base):
        raise UsageError(f"{path}: a link that leads out of {base}: copy the picture instead")
    try:
        return read_picture(path, "stretch")
    except DataError as error:
        raise DataError(f"{error}: mend or remove it") from error


def _convention(pictures: Sequence[Picture]) -> ImageConvention:
    """Decide from the borders of the training pictures; photographs have no common background."""
    dark = sum(not picture.has_light_border for picture in pictures) / len(pictures)
    return ImageConvention("stretch", "dark" if dark >= 0.5 else "light", inverts=dark >= MOSTLY)


def _labelled(
    pictures: Mapping[str, Sequence[Picture]], classes: Sequence[str], background: Background
) -> LabelledImages:
    images = [picture.over(background) for members in pictures.values() for picture in members]
    labels = [classes.index(name) for name, members in pictures.items() for _ in members]
    return LabelledImages(np.stack(images), np.array(labels))
