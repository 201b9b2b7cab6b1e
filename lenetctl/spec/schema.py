"""What an experiment is: every key of a spec, its type, its range and its default.

The defaults are the chapter's LeNet (Dive into Deep Learning, section 6.6, the prose): 2×2
average pools, sigmoid, Xavier, SGD at 0.9, batches of 256, ten epochs.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from lenetctl.spec.layers import ShapeError, plan

Probability = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]

Activation = Literal["sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "none"]
Norm = Literal["none", "batch"]
DatasetName = Literal["fashion_mnist", "mnist", "kmnist", "qmnist", "digits", "folder"]


class Section(BaseModel):
    """A mapping of the spec: no unknown keys, no silent conversions, never changed once made."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def impossible(message: str, *at: str | int) -> PydanticCustomError:
    """Return an error about keys that do not go together, placed at the key that can mend it."""
    # pydantic reads braces in a template as fields of the context
    return PydanticCustomError("impossible", "{message}", {"message": message, "at": at})


# ---- data ------------------------------------------------------------------------------------


class Flip(Section):
    """Mirror an image left to right with probability p."""

    kind: Literal["flip"]
    p: Probability = 0.5


class Shift(Section):
    """Move an image by up to `pixels` whole pixels in each direction, zeros coming in."""

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
    """Set one square of an image to zero with probability p."""

    kind: Literal["erase"]
    p: Probability = 0.5
    pixels: Annotated[int, Field(ge=1, le=28)] = 8  # side of the square


Augmentation = Annotated[Flip | Shift | Affine | Erase, Field(discriminator="kind")]


class DataSpec(Section):
    """Which images, how many at a time, and what is done to them."""

    dataset: DatasetName = "fashion_mnist"
    folder: str | None = Field(None, pattern=r"^[\w-][\w .-]*(/[\w-][\w .-]*)*$")
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)] = 256
    validation: Annotated[int, Field(ge=0)] = 0  # training images held out for choosing
    normalize: Literal["none", "standard"] = "none"
    augment: tuple[Augmentation, ...] = Field((), strict=False, max_length=16)
    limit: Annotated[int, Field(ge=1)] | None = None  # only the first N training images

    @model_validator(mode="after")
    def _folder_goes_with_its_dataset(self) -> Self:
        if self.dataset == "folder" and self.folder is None:
            message = "dataset folder needs data.folder, a folder below the data directory"
            raise impossible(message, "dataset")
        if self.dataset != "folder" and self.folder is not None:
            raise impossible(f"dataset {self.dataset} reads no folder", "folder")
        return self


# ---- model -----------------------------------------------------------------------------------


class Pool(Section):
    """The pooling after a convolution; size, stride and padding in pixels."""

    kind: Literal["avg", "max", "none"] = "avg"
    size: Annotated[int, Field(ge=1, le=64)] = 2
    stride: Annotated[int, Field(ge=1, le=64)] = 2
    padding: Annotated[int, Field(ge=0, le=32)] = 0

    @model_validator(mode="after")
    def _padding_fits(self) -> Self:
        if self.padding > self.size // 2:
            message = f"padding {self.padding} is more than half of the window's {self.size}"
            raise impossible(message, "padding")
        return self


class Conv(Section):
    """One convolution, and where it differs from the model: its own pool, activation, norm."""

    channels: Annotated[int, Field(ge=1, le=4096)]
    kernel: Annotated[int, Field(ge=1, le=64)]
    stride: Annotated[int, Field(ge=1, le=64)] = 1
    padding: Annotated[int, Field(ge=0, le=64)] = 0
    bias: bool = True
    pool: Pool | None = None
    activation: Activation | None = None
    norm: Norm | None = None


class ModelSpec(Section):
    """A net of the LeNet family: convolutions, then dense layers, then ten outputs."""

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
    init: Literal[
        "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "lecun", "torch"
    ] = "xavier_uniform"
    bias_init: Literal["zeros", "torch"] = "zeros"

    @model_validator(mode="after")
    def _every_layer_has_an_output(self) -> Self:
        try:
            plan(self)
        except ShapeError as error:
            raise impossible(str(error), *error.at) from error
        return self


# ---- training --------------------------------------------------------------------------------


class Sgd(Section):
    """Stochastic gradient descent, as torch.optim.SGD."""

    kind: Literal["sgd"]
    lr: Positive = 0.9
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    nesterov: bool = False
    weight_decay: NonNegative = 0.0

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Self:
        if self.nesterov and not self.momentum:
            raise impossible("nesterov needs a momentum above 0", "nesterov")
        return self


class _AdamFamily(Section):
    lr: Positive = 1e-3
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = Field(
        (0.9, 0.999), strict=False
    )
    eps: Positive = 1e-8
    weight_decay: NonNegative = 0.0


class Adam(_AdamFamily):
    """Adam (Kingma and Ba, 2015), as torch.optim.Adam."""

    kind: Literal["adam"]


class AdamW(_AdamFamily):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019), as torch.optim.AdamW."""

    kind: Literal["adamw"]


class Constant(Section):
    """The learning rate as it is, after `warmup` epochs of linear rise."""

    kind: Literal["constant"]
    warmup: NonNegative = 0.0


class Step(Section):
    """Multiply the learning rate by `gamma` every `step_size` epochs."""

    kind: Literal["step"]
    step_size: Annotated[int, Field(ge=1)] = 5
    gamma: Positive = 0.1
    warmup: NonNegative = 0.0


class Cosine(Section):
    """Half a cosine from the learning rate down to `eta_min`, after `warmup` epochs."""

    kind: Literal["cosine"]
    eta_min: NonNegative = 0.0
    warmup: NonNegative = 0.0


class OneCycle(Section):
    """Up to the learning rate and down again (Smith and Topin, 2018), as torch's OneCycleLR."""

    kind: Literal["one_cycle"]
    pct_start: Annotated[float, Field(gt=0, lt=1)] = 0.3  # fraction of the steps spent rising
    div_factor: Annotated[float, Field(ge=1)] = 25.0
    final_div_factor: Annotated[float, Field(ge=1)] = 1e4


Optimizer = Annotated[Sgd | Adam | AdamW, Field(discriminator="kind")]
Schedule = Annotated[Constant | Step | Cosine | OneCycle, Field(discriminator="kind")]


class EarlyStopping(Section):
    """Stop once `patience` epochs in a row brought no better validation accuracy."""

    patience: Annotated[int, Field(ge=1)] = 5


class TrainingSpec(Section):
    """How the weights are found."""

    epochs: Annotated[int, Field(ge=1, le=100_000)] = 10
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    optimizer: Optimizer = Sgd(kind="sgd")
    schedule: Schedule = Constant(kind="constant")
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    early_stopping: EarlyStopping | None = None
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    deterministic: bool = True

    @model_validator(mode="before")
    @classmethod
    def _kinds_have_defaults(cls, value: Any) -> Any:  # noqa: ANN401  whatever the YAML held
        if isinstance(value, dict):
            for key, kind in (("optimizer", "sgd"), ("schedule", "constant")):
                if isinstance(value.get(key), dict):
                    value = {**value, key: {"kind": kind, **value[key]}}
        return value


class Spec(Section):
    """One experiment. Two specs that mean the same have the same `identity`."""

    name: str = Field(pattern=r"^\w[\w.+=-]*$", max_length=100)
    description: str = Field("", max_length=10_000)
    data: DataSpec = DataSpec()
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec()

    @model_validator(mode="before")
    @classmethod
    def _null_is_the_default(cls, value: Any) -> Any:  # noqa: ANN401  whatever the YAML held
        return _without_nulls(value)

    @model_validator(mode="after")
    def _stopping_early_needs_validation(self) -> Self:
        if self.training.early_stopping and not self.data.validation:
            message = "early stopping watches validation: set data.validation above 0"
            raise impossible(message, "training", "early_stopping")
        return self


def _without_nulls(value: Any) -> Any:  # noqa: ANN401
    # as in a JSON merge patch (RFC 7396): null takes a key of an extended spec back to its default
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value
