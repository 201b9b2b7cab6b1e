"""The section `model`: the net, from its first convolution to its last hidden layer."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from lenetctl.specs.section import Section, impossible

Activation = Literal[
    "sigmoid", "tanh", "scaled_tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "none"
]
Norm = Literal["none", "batch"]
LARGEST_KERNEL = 64  # pixels


def _side_or_sides(value: Any) -> int | tuple[int, int]:
    """Return two sides, or the one side of a square; equal sides are a square."""
    sides = (value, value) if type(value) is int else value
    if isinstance(sides, list | tuple) and len(sides) == 2:
        height, width = sides
        if all(type(side) is int and 1 <= side <= LARGEST_KERNEL for side in sides):
            return height if height == width else (height, width)
    raise PydanticCustomError("kernel", "an integer, or two")


# one type, and not a union: that would tell of a mistake twice
Kernel = Annotated[
    int | tuple[int, int],
    PlainValidator(_side_or_sides),
    PlainSerializer(lambda sides: sides),  # that of the union would take JSON's list for a mistake
    WithJsonSchema(
        {
            "anyOf": [
                side := {"type": "integer", "minimum": 1, "maximum": LARGEST_KERNEL},
                {"type": "array", "items": side, "minItems": 2, "maxItems": 2},
            ]
        }
    ),
]

# for each output channel the input channels that it reads, counted from 0, in ascending order
_Inputs = Annotated[
    tuple[Annotated[int, Field(ge=0)], ...], Field(strict=False, min_length=1, max_length=4096)
]
Connections = Annotated[tuple[_Inputs, ...], Field(strict=False, max_length=4096)]
# a picture of +1 (#) and -1 (.), its rows one after the other
Code = Annotated[
    str,
    Field(pattern=r"^[#.\s]*[#.][#.\s]*$", max_length=65_536),
    AfterValidator(lambda code: "".join(code.split())),
]
Codes = Annotated[tuple[Code, ...], Field(strict=False, min_length=10, max_length=10)]


class Pool(Section):
    """The pooling after a convolution; size, stride and padding in pixels."""

    kind: Literal["avg", "max", "subsample", "none"] = "avg"
    size: Annotated[int, Field(ge=1, le=64)] = 2
    stride: Annotated[int, Field(ge=1, le=64)] = 2
    padding: Annotated[int, Field(ge=0, le=32)] = 0

    @model_validator(mode="after")
    def _padding_fits(self) -> Self:
        if self.padding > self.size // 2:
            message = f"padding {self.padding} is more than half of the window's {self.size}"
            raise impossible(message, ("padding",), (("padding",), ("size",)))
        return self


class Conv(Section):
    """One convolution, and where it differs from the model: its own pool, activation, norm."""

    channels: Annotated[int, Field(ge=1, le=4096)]
    kernel: Kernel
    stride: Annotated[int, Field(ge=1, le=64)] = 1
    padding: Annotated[int, Field(ge=0, le=64)] = 0
    padding_value: Annotated[float, Field(ge=-1e6, le=1e6)] = 0.0
    connections: Connections | None = None
    bias: bool = True
    unit_bias: bool = False  # one for each place of the map, instead of one for the map
    pool: Pool | None = None
    activation: Activation | None = None
    norm: Norm | None = None

    @model_validator(mode="after")
    def _has_one_sort_of_bias(self) -> Self:
        if self.unit_bias and not self.bias:
            raise impossible("needs a bias", ("unit_bias",), (("unit_bias",), ("bias",)))
        return self

    @property
    def window(self) -> tuple[int, int]:
        """The kernel's height and width."""
        return (self.kernel, self.kernel) if isinstance(self.kernel, int) else self.kernel


class ModelSpec(Section):
    """A net of the LeNet family: convolutions, then dense layers, then ten outputs.

    That every layer has an output is checked by the `Spec`, which knows the plan of layers.
    """

    input_side: Annotated[int, Field(ge=1, le=64)] | None = None  # pixels; None: as they are
    conv: tuple[Conv, ...] = Field(
        (Conv(channels=6, kernel=5, padding=2), Conv(channels=16, kernel=5)),
        strict=False,
        max_length=32,
    )
    pool: Pool = Pool()
    activation: Activation = "sigmoid"
    norm: Norm = "none"
    dense: tuple[Annotated[int, Field(ge=1, le=65_536)], ...] = Field(
        (120, 84), strict=False, max_length=32
    )
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    output_codes: Codes | None = None  # of the last hidden layer, for each class
    init: Literal[
        "xavier_uniform",
        "xavier_normal",
        "kaiming_uniform",
        "kaiming_normal",
        "lecun",
        "fan_in_uniform",
        "torch",
    ] = "xavier_uniform"
    bias_init: Literal["zeros", "torch"] = "zeros"

    @model_validator(mode="after")
    def _codes_tell_classes_apart(self) -> Self:
        codes = self.output_codes or ()
        for number, code in enumerate(codes):
            if (first := codes.index(code)) < number:
                message = f"the classes {first} and {number} have one code"
                raise impossible(message, ("output_codes",), (("output_codes",),))
        return self
