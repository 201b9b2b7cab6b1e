"""What makes two experiments the same one."""

import hashlib
import json
from typing import Any

import yaml

from lenetctl.spec.schema import Spec


def sha256(spec: Spec) -> str:
    """Return the SHA-256 over the canonical JSON of what `spec` means.

    Name and description are left out, and every convolution is written with the pool, the
    activation and the norm that it ends up with, however the file came to say so.
    """
    meaning = spec.model_dump(mode="json", exclude={"name", "description"})
    model = meaning["model"]
    for conv in model["conv"]:
        for key in ("pool", "activation", "norm"):
            conv[key] = conv[key] or model[key]
        if conv["pool"]["kind"] == "none":
            conv["pool"] = {"kind": "none"}
    del model["pool"], model["norm"]
    canonical = json.dumps(meaning, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def to_yaml(spec: Spec) -> str:
    """Return the resolved spec as YAML that `load` reads back to an equal spec."""
    resolved = spec.model_dump(mode="json", exclude_none=True)
    return yaml.safe_dump(resolved, sort_keys=False, allow_unicode=True)


def flatten(spec: Spec) -> dict[str, str | int | float]:
    """Return the resolved spec as dotted keys, `model.conv.0.channels: 6`, for a table of runs."""
    flat: dict[str, str | int | float] = {}

    def walk(value: Any, key: str) -> None:  # noqa: ANN401
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for part, inner in items:
            here = f"{key}.{part}" if key else str(part)
            if isinstance(inner, dict | list) and inner:
                walk(inner, here)
            else:
                flat[here] = str(inner).lower() if isinstance(inner, bool | list) else inner

    walk(spec.model_dump(mode="json", exclude={"name", "description"}, exclude_none=True), "")
    return flat
