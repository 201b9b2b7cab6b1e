"""A data set of one's own: a folder of pictures for each class. The pictures may be hostile."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lenetctl.data.raw import LabelledImages, RawDataset
from lenetctl.errors import DataError, UsageError
from lenetctl.specs import CLASSES, INPUT_SHAPE

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff"}
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")  # not, say, EPS, which runs Ghostscript


def read_folder(root: Path) -> RawDataset:
    """Return the pictures in `root`/train/CLASS and `root`/test/CLASS as grey 28×28 images.

    Classes are numbered in the order of their names, as torchvision's ImageFolder does.

    Raises:
        DataError: the layout is another, or a picture cannot be read.
        UsageError: a symbolic link leads out of `root`.

    """
    try:
        train, test = _pictures(root / "train"), _pictures(root / "test")
    except OSError as error:
        raise DataError(f"{root}: cannot be read ({error.strerror})") from error
    classes = tuple(train)
    if len(classes) > CLASSES:
        raise DataError(f"{root / 'train'}: {len(classes)} classes, more than the net's {CLASSES}")
    if strangers := sorted(set(test) - set(train)):
        raise DataError(f"{root / 'test' / strangers[0]}: a class that {root / 'train'} lacks")
    return RawDataset(classes, _labelled(train, classes, root), _labelled(test, classes, root))


def _pictures(split: Path) -> dict[str, list[Path]]:
    """Return the sorted pictures of each class, the classes sorted too."""
    folders = sorted(_visible(split)) if split.is_dir() else []
    pictures = {
        folder.name: sorted(path for path in _visible(folder) if path.suffix.lower() in SUFFIXES)
        for folder in folders
        if folder.is_dir()
    }
    if not pictures:
        layout = "train/CLASS/*.png and test/CLASS/*.png"
        raise DataError(f"{split}: no folder of a class in it; {split.parent} must hold {layout}")
    for name, paths in pictures.items():
        if not paths:
            allowed = ", ".join(sorted(SUFFIXES))
            raise DataError(f"{split / name}: no pictures in it ({allowed})")
    return pictures


def _visible(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def _labelled(
    pictures: dict[str, list[Path]], classes: Sequence[str], root: Path
) -> LabelledImages:
    base = root.resolve()
    images, labels = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd metadata of a picture that can be read
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for name, paths in pictures.items():
            images += [_read(path, base) for path in paths]
            labels += [classes.index(name)] * len(paths)
    return LabelledImages(np.stack(images), np.array(labels))


def _read(path: Path, base: Path) -> NDArray[np.uint8]:
    if not path.is_file():
        raise DataError(f"{path}: not a file: mend or remove it")
    if not path.resolve().is_relative_to(base):
        raise UsageError(f"{path}: a link that leads out of {base}: copy the picture instead")
    try:
        return _grey(path)
    except Exception as error:  # Pillow's decoders raise whatever they meet
        raise DataError(f"{path}: not a readable picture ({error}): mend or remove it") from error


def _grey(path: Path) -> NDArray[np.uint8]:
    with Image.open(path, formats=FORMATS) as picture:
        if picture.mode[0] in "IF":  # Pillow would cut off all above 255
            raise ValueError("more than 8 bits a pixel")
        height, width = INPUT_SHAPE[1:]
        return np.asarray(picture.convert("L").resize((width, height), Image.Resampling.BILINEAR))
