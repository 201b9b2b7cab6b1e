"""The section `training`: how the weights are found."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from lenetctl.specs.section import NonNegative, Positive, Section, impossible
from lenetctl.specs.yaml import KeyPath

Warmup = Annotated[float, Field(ge=0, le=100_000)]  # epochs


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
            raise impossible(
                "nesterov needs a momentum above 0",
                at=("nesterov",),
                reads=(("nesterov",), ("momentum",)),
            )
        return self


class _AdamFamily(Section):
    kind: Literal["adam", "adamw"]
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


class Sdlm(Section):
    """Stochastic diagonal Levenberg-Marquardt: a step size of its own for each weight.

    It is lr / (mu + curvature), where the curvature is the mean second derivative of the loss over
    `samples` training images, measured before each epoch (LeCun et al., 1998, appendix C).
    """

    kind: Literal["sdlm"]
    lr: Positive = 5e-4
    mu: Positive = 0.02
    samples: Annotated[int, Field(ge=1, le=1_000_000)] = 500


class Constant(Section):
    """The learning rate as it is, after `warmup` epochs of linear rise."""

    kind: Literal["constant"]
    warmup: Warmup = 0.0


class StepDecay(Section):
    """Multiply the learning rate by `gamma` every `step_size` epochs, those of warmup counted."""

    kind: Literal["step"]
    step_size: Annotated[int, Field(ge=1)] = 5
    gamma: Annotated[float, Field(gt=0, le=1)] = 0.1
    warmup: Warmup = 0.0


class Cosine(Section):
    """Half a cosine from the learning rate down to `eta_min`, after `warmup` epochs."""

    kind: Literal["cosine"]
    eta_min: NonNegative = 0.0
    warmup: Warmup = 0.0


class OneCycle(Section):
    """Up to the learning rate and down again (Smith and Topin, 2018), as torch's OneCycleLR."""

    kind: Literal["one_cycle"]
    pct_start: Annotated[float, Field(gt=0, lt=1)] = 0.3  # fraction of the steps spent rising
    div_factor: Annotated[float, Field(ge=1)] = 25.0
    final_div_factor: Annotated[float, Field(ge=1)] = 1e4


class ByEpoch(Section):
    """The learning rate times one factor for each epoch; the last holds for all that follow."""

    kind: Literal["by_epoch"]
    factors: tuple[Annotated[float, Field(gt=0, le=1000)], ...] = Field(
        strict=False, min_length=1, max_length=10_000
    )


Optimizer = Annotated[Sgd | Adam | AdamW | Sdlm, Field(discriminator="kind")]
Schedule = Annotated[
    Constant | StepDecay | Cosine | OneCycle | ByEpoch, Field(discriminator="kind")
]


class EarlyStopping(Section):
    """Stop once `patience` epochs in a row brought no better validation accuracy."""

    patience: Annotated[int, Field(ge=1)] = 5


class TrainingSpec(Section):
    """How the weights are found."""

    epochs: Annotated[int, Field(ge=1, le=100_000)] = 10
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    optimizer: Optimizer = Sgd(kind="sgd")
    schedule: Schedule = Constant(kind="constant")
    devices: Annotated[int, Field(ge=1, le=1024)] = 1  # whose gradients are summed
    clip_norm: Positive | None = None  # of all gradients together
    loss: Literal["cross_entropy", "squared_distance"] = "cross_entropy"
    # distance of an eleventh class, to which no image belongs
    rubbish: Annotated[float, Field(gt=0, le=1e6)] | None = None
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    early_stopping: EarlyStopping | None = None
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    deterministic: bool = True

    @model_validator(mode="after")
    def _cosine_goes_down(self) -> Self:
        lr, schedule = self.optimizer.lr, self.schedule
        if isinstance(schedule, Cosine) and schedule.eta_min > lr:
            raise impossible(
                f"must be at most the learning rate, which is {lr:g}",
                at=("schedule", "eta_min"),
                reads=(("optimizer",), ("schedule",)),
            )
        return self

    @model_validator(mode="after")
    def _of_cross_entropy(self) -> Self:
        squared = self.loss == "squared_distance"
        for key, other in (("rubbish", squared), ("label_smoothing", squared or self.rubbish)):
            if getattr(self, key) and other:
                without = f"{'loss squared_distance' if squared else 'a rubbish class'}"
                raise impossible(
                    f"does not go with {without}",
                    at=(key,),
                    reads=(("loss",), ("rubbish",), ("label_smoothing",)),
                )
        return self

    @model_validator(mode="before")
    @classmethod
    def _kinds_have_defaults(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for key, kind in (("optimizer", "sgd"), ("schedule", "constant")):
                section = value.get(key)
                if isinstance(section, dict) and section.get("kind") is None:
                    value = {**value, key: {**section, "kind": kind}}
        return value


# by section; the first kind is the one of a section that names none
KINDS: Mapping[KeyPath, Mapping[str, type[Section]]] = {
    ("training", "optimizer"): {"sgd": Sgd, "adam": Adam, "adamw": AdamW, "sdlm": Sdlm},
    ("training", "schedule"): {
        "constant": Constant,
        "step": StepDecay,
        "cosine": Cosine,
        "one_cycle": OneCycle,
        "by_epoch": ByEpoch,
    },
}


def outdated_keys(path: KeyPath, section: Mapping[str, Any], kind: Any) -> set[str]:
    """Return the keys of the section at `path` that do not hold once it is of another `kind`.

    What both kinds have, with one default, stays: Adam's `betas` for AdamW. A learning rate of SGD
    does not: Adam's default is another. Keys that the section's own kind lacks are left to be
    reported.
    """
    kinds = KINDS.get(path)
    if not kinds:
        return set()
    default = next(iter(kinds))
    before, after = (kinds.get(str(name or default)) for name in (section.get("kind"), kind))
    if not before or not after:
        return set()  # a wrong kind, which is reported
    old, new = before.model_fields, after.model_fields
    kept = {key for key in old.keys() & new.keys() if old[key].default == new[key].default}
    return (section.keys() & old.keys()) - kept - {"kind"}
