"""A picture of one's own as the nets know images: 28×28, grey, white on black."""

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from lenetctl.data.folder import FORMATS
from lenetctl.errors import UsageError
from lenetctl.specs import INPUT_SHAPE

_MIDDLE = 127.5  # grey above it is light


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Return the picture of any size and colour as (28, 28), its sides in proportion.

    A light background becomes dark, for all data sets are light on dark. A transparent one is
    dark at once, behind what is drawn on it in light or, inverted, in dark colours.

    Raises:
        UsageError: it cannot be read.

    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            grey = _grey(path)
        border = _border(grey)
        height, width = INPUT_SHAPE[1:]
        scaled = np.asarray(ImageOps.pad(grey, (width, height), color=int(border)))
    except Exception as error:  # Pillow's decoders raise whatever they meet
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path}: not a readable picture ({reason})") from error
    return 255 - scaled if border > _MIDDLE else scaled


def _grey(path: Path) -> Image.Image:
    """Return the picture upright, in 8 bits of grey, on an opaque background."""
    with Image.open(path, formats=FORMATS) as opened:
        picture = ImageOps.exif_transpose(opened)
    if picture.mode.startswith("I;16"):  # Pillow would cut off all above 255
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.mode[0] in "IF":
        raise ValueError("more than 16 bits a pixel")
    if not picture.has_transparency_data:
        return picture.convert("L")
    grey, opacity = picture.convert("RGBA").convert("LA").split()
    weights = np.asarray(opacity, dtype=np.float64)
    drawn_light = (weights * (np.asarray(grey) - _MIDDLE)).sum() > 0
    background = Image.new("L", grey.size, 0 if drawn_light else 255)
    return Image.composite(grey, background, opacity)


def _border(grey: Image.Image) -> float:
    """Return the median of the outermost pixels."""
    pixels = np.asarray(grey)
    return float(np.median(np.concatenate([*pixels[[0, -1]], *pixels[:, [0, -1]].T])))
