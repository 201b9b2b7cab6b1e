"""The one reader of pictures: files of many kinds, maybe hostile, become grey 28×28 images."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, ImageStat

from lenetctl.data.handwriting import fit_digit
from lenetctl.errors import DataError
from lenetctl.specs import INPUT_SHAPE

# to a square: out of proportion, with a border added, or as a digit found and centred
Fit = Literal["stretch", "pad", "digit"]
Background = Literal["dark", "light"]

FORMATS = {  # by Pillow's names, with their suffixes; not, say, EPS, which runs Ghostscript
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg"),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
}
_LEVELS: dict[Background, int] = {"dark": 0, "light": 255}
LIGHT = 128  # grey from here on is light


@dataclass(frozen=True)
class ImageConvention:
    """How the images of a data set were made, and how a user's picture becomes one like them."""

    fit: Fit
    background: Background  # of most of its images; seen where a picture is transparent
    inverts: bool  # whether a user's picture on a light background is inverted


MNIST_CONVENTION = ImageConvention("pad", "dark", inverts=True)  # of most published data sets
DIGIT_CONVENTION = ImageConvention("digit", "dark", inverts=True)  # of MNIST and QMNIST


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture of 28×28 pixels, which may still be transparent."""

    pixels: Image.Image  # 8 bits of grey (L), or of grey and opacity (LA)
    has_light_border: bool

    def over(self, background: Background) -> NDArray[np.uint8]:
        """Return the image (28, 28) that is seen on `background`."""
        return np.asarray(_flatten(self.pixels, _LEVELS[background]))


def read_image(path: Path, convention: ImageConvention) -> NDArray[np.uint8]:
    """Return a user's picture as an image (28, 28) like those of a data set.

    Raises:
        DataError: it cannot be read.

    """
    with _explained(path):
        grey = _decode(path)
        if convention.fit == "digit" and (digit := _digit(grey)) is not None:
            return digit
        picture = _fit(grey, convention.fit)
    if convention.inverts and picture.has_light_border:
        return 255 - picture.over("light")
    return picture.over(convention.background)


def read_picture(path: Path, fit: Fit) -> Picture:
    """Return the picture of any size and colour, its first frame if there are more.

    Raises:
        DataError: it cannot be read.

    """
    with _explained(path):
        return _fit(_decode(path), fit)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata of a picture that can be read
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except Exception as error:  # Pillow's decoders raise whatever they meet
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: not a readable picture ({reason})") from error


def _decode(path: Path) -> Image.Image:
    """Return the picture upright, in mode L, or LA where it says what is transparent."""
    with Image.open(path, formats=tuple(FORMATS)) as picture:
        picture.load()
        with suppress(Exception):  # broken EXIF data of a picture that can be read
            ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode.startswith("I;16"):  # Pillow would cut off all above 255
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.mode[0] in "IF":
        raise ValueError("more than 16 bits a pixel")
    grey = picture.convert("LA" if picture.has_transparency_data else "L")
    grey.info.clear()  # metadata, which can be larger than the pixels, would be kept with them
    return grey


def _fit(picture: Image.Image, fit: Fit) -> Picture:
    """Bring a picture in mode L or LA to 28×28 pixels."""
    border = _border(picture)
    size = INPUT_SHAPE[2], INPUT_SHAPE[1]
    if fit == "stretch":
        pixels = picture.resize(size, Image.Resampling.BILINEAR)
    else:
        opaque = (int(border), 255)[: len(picture.getbands())]
        pixels = ImageOps.pad(picture, size, color=opaque)
    return Picture(pixels, has_light_border=border >= LIGHT)


def _digit(picture: Image.Image) -> NDArray[np.uint8] | None:
    """Return the digit that is found in a picture; an image of MNIST's own is left as it is."""
    pixels = np.asarray(_on_contrast(picture))
    if pixels.shape == INPUT_SHAPE[1:] and _border(picture) < LIGHT:
        return pixels
    return fit_digit(pixels)


def _border(picture: Image.Image) -> float:
    """Return the median grey of the outermost pixels."""
    pixels = np.asarray(_on_contrast(picture))
    return float(np.median(np.concatenate([*pixels[[0, -1]], *pixels[:, [0, -1]].T])))


def _on_contrast(picture: Image.Image) -> Image.Image:
    """Return the picture on black where what is drawn is light, on white where that is dark."""
    mean = ImageStat.Stat(_flatten(picture, LIGHT)).mean[0]
    return _flatten(picture, 0 if mean >= LIGHT else 255)


def _flatten(picture: Image.Image, level: int) -> Image.Image:
    """Return the picture on a background of one grey, in mode L."""
    if picture.mode == "L":
        return picture
    background = Image.new("L", picture.size, level)
    background.paste(picture.getchannel("L"), mask=picture.getchannel("A"))
    return background
