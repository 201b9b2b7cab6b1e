"""A data set of one's own: a folder of pictures for each class. The pictures may be hostile."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeVar

import numpy as np

from lenetctl.data.images import (
    FORMATS,
    LIGHT,
    Background,
    ImageConvention,
    Picture,
    read_image,
    read_picture,
)
from lenetctl.data.raw import LabelledImages, RawDataset
from lenetctl.data.tables import read_tables
from lenetctl.errors import DataError, UsageError
from lenetctl.specs import CLASSES

SUFFIXES = set(chain.from_iterable(FORMATS.values()))
Read = TypeVar("Read")
MOST_NAMED = 20  # of the pictures that cannot be read
MOSTLY = 0.9  # share of dark training pictures from which a user's light picture is inverted


def read_folder(root: Path) -> RawDataset:
    """Return the pictures in `root`/train/CLASS and `root`/test/CLASS as grey 28×28 images.

    Or what tables hold that are in `root` instead.

    Classes are numbered in the order of their names, as torchvision's ImageFolder does. A class
    without test pictures is one that the test set lacks. What is transparent becomes dark or light
    as the background of most training pictures is.

    Raises:
        DataError: the layout is another, or a picture cannot be read.
        UsageError: a symbolic link leads out of `root`.

    """
    if not (root / "train").is_dir() and (tables := read_tables(root)):
        return _of_tables(root, *tables)
    skipped: Counter[str] = Counter()
    layout = f"{root} must hold train/CLASS/*.png and test/CLASS/*.png, or tables"
    try:
        train, test = (_paths(root / split, skipped, layout) for split in ("train", "test"))
    except OSError as error:
        raise DataError(f"{root}: cannot be read ({error.strerror})") from error
    for name, files in train.items():
        if not files:
            allowed = ", ".join(sorted(SUFFIXES))
            raise DataError(f"{root / 'train' / name}: no pictures in it ({allowed})")
    test = {name: files for name, files in test.items() if files}
    classes = tuple(train)
    if len(classes) > CLASSES:
        raise DataError(f"{root / 'train'}: {len(classes)} classes, more than the net's {CLASSES}")
    if strangers := sorted(set(test) - set(train)):
        raise DataError(f"{root / 'test' / strangers[0]}: a class that {root / 'train'} lacks")
    base = root.resolve()
    train_pictures, test_pictures = _read(
        train, test, base=base, read=partial(read_picture, fit="stretch")
    )
    convention = _convention([*chain.from_iterable(train_pictures.values())])
    return RawDataset(
        classes,
        _labelled(train_pictures, classes, convention.background),
        _labelled(test_pictures, classes, convention.background),
        convention,
        _told(skipped),
    )


def read_own_pictures(
    root: Path, classes: Sequence[str], convention: ImageConvention
) -> LabelledImages:
    """Return the pictures in `root`/CLASS, prepared as a data set's images were, to be measured.

    Raises:
        DataError: a class that is none of `classes`, whatever its capitals, or as `read_folder`.
        UsageError: a symbolic link leads out of `root`.

    """
    numbers = {name.casefold(): number for number, name in enumerate(classes)}
    paths = {name: files for name, files in _paths(root, Counter(), "CLASS/*.png").items() if files}
    if strangers := [name for name in paths if name.casefold() not in numbers]:
        raise DataError(f"{root / strangers[0]}: no class of the net ({', '.join(classes)})")
    (found,) = _read(paths, base=root.resolve(), read=partial(read_image, convention=convention))
    labels = [numbers[name.casefold()] for name, members in found.items() for _ in members]
    return LabelledImages(np.stack([*chain.from_iterable(found.values())]), np.array(labels))


def _of_tables(root: Path, train: LabelledImages, test: LabelledImages) -> RawDataset:
    """Return a data set of tables; its classes are called by their numbers."""
    count = 1 + int(max(labels.max(initial=0) for _, labels in (train, test)))
    if count > CLASSES:
        raise DataError(f"{root}: labels up to {count - 1}, but a net has {CLASSES} outputs")
    edges = np.concatenate([train.images[:, [0, -1]], train.images[:, :, [0, -1]].swapaxes(1, 2)])
    dark = float(np.mean(np.median(edges.reshape(2, len(train.images), -1), axis=(0, 2)) < LIGHT))
    background: Background = "dark" if dark >= 0.5 else "light"
    convention = ImageConvention("pad", background, inverts=dark >= MOSTLY)
    return RawDataset(tuple(map(str, range(count))), train, test, convention)


def _paths(split: Path, skipped: Counter[str], layout: str) -> dict[str, list[Path]]:
    """Return the sorted pictures of each class, the classes sorted too; count what is none."""
    paths: dict[str, list[Path]] = {}
    for folder in sorted(split.iterdir()) if split.is_dir() else []:
        if folder.name.startswith(".") or not folder.is_dir():
            skipped["beside the folders of the classes"] += 1
            continue
        found = sorted(folder.iterdir())
        why = [_why_skipped(path) for path in found]
        skipped.update(filter(None, why))
        paths[folder.name] = [path for path, reason in zip(found, why, strict=True) if not reason]
    if not any(paths.values()):
        raise DataError(f"{split}: no folder of a class in it; {layout}")
    for name in paths:
        if name.encode(errors="ignore").decode() != name:  # half a letter, of another encoding
            raise DataError(f"{split / name}: its name is not UTF-8: rename the folder")
    return paths


def _why_skipped(path: Path) -> str:
    """Return why something in the folder of a class is no picture of it; "" where it is one."""
    if path.name.startswith("."):
        return "hidden"
    if path.suffix.lower() in SUFFIXES:
        return ""
    if path.is_dir():
        return "folders"
    return f"of kind {path.suffix.lower()}" if path.suffix else "without a suffix"


def _told(skipped: Counter[str]) -> str:
    """Return how many files were skipped and why, in words; "" where none was."""
    reasons = ", ".join(f"{count} {why}" for why, count in sorted(skipped.items()))
    return f"{skipped.total()} skipped: {reasons}" if skipped else ""


def _read(
    *splits: Mapping[str, Sequence[Path]], base: Path, read: Callable[[Path], Read]
) -> list[dict[str, list[Read]]]:
    """Return the pictures of each class of each split.

    Raises:
        DataError: naming every picture that cannot be read, or the first of many.
        UsageError: as `read_folder`.

    """
    unreadable = []

    def readable(path: Path) -> Iterator[Read]:
        if not path.resolve().is_relative_to(base):
            raise UsageError(f"{path}: a link that leads out of {base}: copy the picture instead")
        if not path.is_file():  # a pipe could keep us waiting for ever
            unreadable.append(f"{path}: not a file")
            return
        try:
            yield read(path)
        except DataError as error:
            unreadable.append(str(error))

    found = [
        {name: [*chain.from_iterable(map(readable, files))] for name, files in paths.items()}
        for paths in splits
    ]
    if unreadable:
        more = len(unreadable) - MOST_NAMED
        told = [*unreadable[:MOST_NAMED], *([f"and {more} more"] if more > 0 else [])]
        raise DataError(f"{'; '.join(told)}: mend or remove {'it' if len(told) == 1 else 'them'}")
    return found


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
