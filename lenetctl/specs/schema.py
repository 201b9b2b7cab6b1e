"""What an experiment is: every key of a spec, its type, its range and its default.

The defaults are the chapter's LeNet (Dive into Deep Learning, section 6.6, the prose): 2×2
average pools, sigmoid, Xavier, SGD at 0.9, batches of 256, ten epochs.
"""

from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from lenetctl.specs.data import Augmentation, DatasetName, DataSpec
from lenetctl.specs.layers import ShapeError, plan_layers
from lenetctl.specs.model import Activation, Conv, ModelSpec, Norm, Pool
from lenetctl.specs.section import Section, impossible
from lenetctl.specs.training import EarlyStopping, Optimizer, Schedule, TrainingSpec

__all__ = [
    "Activation",
    "Augmentation",
    "Conv",
    "DataSpec",
    "DatasetName",
    "EarlyStopping",
    "ModelSpec",
    "Norm",
    "Optimizer",
    "Pool",
    "Schedule",
    "Section",
    "Spec",
    "TrainingSpec",
]

NAME_LENGTH = 100
# keys of the model that the plan of layers reads
PLANNED = (("input_side",), ("conv",), ("pool",), ("dense",), ("output_codes",))


class Spec(Section):
    """One experiment. Two specs that mean the same have the same `sha256`."""

    name: str = Field(pattern=r"^\w[\w.+=-]*$", max_length=NAME_LENGTH)
    description: str = Field("", max_length=10_000)
    data: DataSpec = DataSpec()
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec()

    @field_validator("model")
    @classmethod
    def _every_layer_has_an_output(cls, model: ModelSpec) -> ModelSpec:
        try:
            plan_layers(model)
        except ShapeError as error:
            raise impossible(str(error), error.at, reads=PLANNED) from error
        return model

    @model_validator(mode="after")
    def _stopping_early_needs_validation(self) -> Self:
        if self.training.early_stopping and not self.data.validation:
            raise impossible(
                "early stopping watches validation: set data.validation above 0",
                at=("training", "early_stopping"),
                reads=(("training", "early_stopping"), ("data", "validation")),
            )
        return self

    @model_validator(mode="after")
    def _a_distance_needs_codes(self) -> Self:
        if self.training.loss == "squared_distance" and not self.model.output_codes:
            raise impossible(
                "squared_distance is that to the codes of an output with model.output_codes",
                at=("training", "loss"),
                reads=(("training", "loss"), ("model", "output_codes")),
            )
        return self

    @model_validator(mode="after")
    def _second_order_needs_no_batch_norm(self) -> Self:
        if self.training.optimizer.kind == "sdlm" and self._has_batch_norm:
            raise _with_batch_norm(("optimizer", "kind"), "passes back no second order")
        return self

    @model_validator(mode="after")
    def _devices_need_no_batch_norm(self) -> Self:
        if self.training.devices > 1 and self._has_batch_norm:
            raise _with_batch_norm(("devices",), "would normalise on each device by its own images")
        return self

    @property
    def _has_batch_norm(self) -> bool:
        return any(layer.kind == "norm" for layer in plan_layers(self.model))


def _with_batch_norm(key: tuple[str, ...], why: str) -> PydanticCustomError:
    return impossible(
        f"does not go with batch norm, which {why}",
        at=("training", *key),
        reads=(("training", key[0]), ("model",)),
    )
