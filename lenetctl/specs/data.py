"""The section `data`: which images, how many at a time, and what is done to them."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from lenetctl.specs.section import Probability, Section, impossible

LimitKeeps = Literal["share", "first"]  # of each class its share, or the first images
DatasetName = Literal[
    "fashion_mnist",
    "mnist",
    "kmnist",
    "qmnist",
    "emnist_digits",
    "emnist_mnist",
    "digits",
    "folder",
]

MOST_IMAGES = 1_000_000_000

# below the data directory: no part of it begins with a dot
Folder = Annotated[
    str,
    Field(pattern=r"^[\w(-][\w .,&+'()-]*(/[\w(-][\w .,&+'()-]*)*/?$", max_length=1000),
    AfterValidator(lambda folder: folder.removesuffix("/")),
]

Pixel = Annotated[float, Field(ge=-1e6, le=1e6)]
PixelRange = Annotated[tuple[Pixel, Pixel], Field(strict=False)]  # of black and of white


def _count_or_share(value: Any) -> int | float:
    is_count = type(value) is int and 0 <= value <= MOST_IMAGES
    if is_count or (type(value) is float and 0 < value < 1):
        return value  # type: ignore[no-any-return]
    raise PydanticCustomError("count_or_share", "a number of images, or a share of them")


# one type, and not a union: that would tell of a mistake twice
CountOrShare = Annotated[
    int | float,
    PlainValidator(_count_or_share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": MOST_IMAGES},
                {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            ]
        }
    ),
]


class Flip(Section):
    """Mirror an image left to right with probability p."""

    kind: Literal["flip"]
    p: Probability = 0.5


class Shift(Section):
    """Move an image by up to `pixels` whole pixels in each direction, black coming in."""

    kind: Literal["shift"]
    pixels: Annotated[int, Field(ge=1, le=27)] = 2


class Affine(Section):
    """Rotate, move, scale and shear an image, each drawn uniformly from ± its limit."""

    kind: Literal["affine"]
    degrees: Annotated[float, Field(ge=0, le=180)] = 10.0
    translate: Annotated[float, Field(ge=0, lt=1)] = 0.05  # fraction of the image's side
    scale: Annotated[float, Field(ge=0, lt=1)] = 0.1  # 0.1: from 0.9 to 1.1
    shear: Annotated[float, Field(ge=0, lt=90)] = 0.0  # degrees


class Erase(Section):
    """Set one square of an image to black with probability p."""

    kind: Literal["erase"]
    p: Probability = 0.5
    pixels: Annotated[int, Field(ge=1, le=28)] = 8  # side of the square


Augmentation = Annotated[Flip | Shift | Affine | Erase, Field(discriminator="kind")]


class DataSpec(Section):
    """Which images, how many at a time, and what is done to them."""

    dataset: DatasetName = "fashion_mnist"
    folder: Folder | None = None
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)] = 256
    validation: CountOrShare = 0  # training images held out
    normalize: Literal["none", "standard"] = "none"
    pixel_range: PixelRange | None = None  # instead of 0 and 1
    augment: tuple[Augmentation, ...] = Field((), strict=False, max_length=16)
    limit: Annotated[int, Field(ge=1, le=MOST_IMAGES)] | None = None  # training images kept

    def held_out(self, images: int) -> int:
        """Return how many of so many training images are held out; of a share at least one."""
        share = isinstance(self.validation, float)
        return max(1, round(self.validation * images)) if share else int(self.validation)

    @model_validator(mode="after")
    def _folder_goes_with_its_dataset(self) -> Self:
        reads = (("dataset",), ("folder",))
        if self.dataset == "folder" and self.folder is None:
            message = "dataset folder needs data.folder, a folder below the data directory"
            raise impossible(message, ("dataset",), reads)
        if self.dataset != "folder" and self.folder is not None:
            raise impossible(f"dataset {self.dataset} reads no folder", ("folder",), reads)
        return self

    @model_validator(mode="after")
    def _pixels_have_one_range(self) -> Self:
        reads = (("normalize",), ("pixel_range",))
        if self.pixel_range is None:
            return self
        if self.normalize != "none":
            raise impossible(f"normalize {self.normalize} sets another", ("pixel_range",), reads)
        if self.pixel_range[0] >= self.pixel_range[1]:
            raise impossible("black must be less than white", ("pixel_range",), reads)
        return self
