"""What all sections of a spec share: strict types, and the error of keys that do not combine."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from lenetctl.specs.yaml import KeyPath

Probability = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]


class Section(BaseModel):
    """A mapping of the spec: no unknown keys, no silent conversions, immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _null_is_the_default(cls, value: Any) -> Any:
        # as in a JSON merge patch (RFC 7396): null removes a key that an extended spec has set
        if isinstance(value, dict) and None in value.values():
            return {k: v for k, v in value.items() if v is not None or k not in cls.model_fields}
        return value


def impossible(message: str, at: KeyPath, reads: tuple[KeyPath, ...]) -> PydanticCustomError:
    """Return the error for a combination of keys that is impossible.

    Args:
        message: what the user reads
        at: the key to change, as a path relative to the section that is validated
        reads: the keys that the combination depends on, relative to the same

    """
    # not the message as the template: pydantic would take its braces for fields
    context = {"message": message, "at": at, "reads": reads}
    return PydanticCustomError("impossible", "{message}", context)
