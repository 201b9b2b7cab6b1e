"""What all sections of a spec share: strictness, and how keys that clash are told."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from lenetctl.specs.yaml import KeyPath

Probability = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]


class Section(BaseModel):
    """A mapping of the spec: no unknown keys, no silent conversions, never changed once made."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _null_is_the_default(cls, value: Any) -> Any:
        # as in a JSON merge patch (RFC 7396): null takes a key of an extended spec back
        if isinstance(value, dict):
            return {k: v for k, v in value.items() if v is not None or k not in cls.model_fields}
        return value


def impossible(message: str, at: KeyPath, reads: tuple[KeyPath, ...]) -> PydanticCustomError:
    """Return an error about keys that do not go together.

    Both paths are relative to the section: `at` is the key that can mend it, `reads` are all keys
    that have a say in it.
    """
    # pydantic reads braces in a template as fields of the context
    context = {"message": message, "at": at, "reads": reads}
    return PydanticCustomError("impossible", "{message}", context)
