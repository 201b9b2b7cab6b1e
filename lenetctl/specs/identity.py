"""What a resolved spec means: its SHA-256, its YAML, its values by dotted key."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import yaml

from lenetctl.specs.schema import Spec
from lenetctl.specs.yaml import parse_scalar

Value = str | int | float

# keys by section that the first version lacked, and what they are unless they are set
LATER: dict[str, dict[str, Value | None]] = {
    "data": {"pixel_range": None},
    "conv": {"padding_value": 0.0, "connections": None, "unit_bias": False},
    "model": {"input_side": None, "output_codes": None},
    "training": {"clip_norm": None, "loss": "cross_entropy", "rubbish": None, "devices": 1},
}


def sha256(spec: Spec) -> str:
    """Return the SHA-256 of the canonical JSON of `spec`: equal for equal experiments.

    Name and description are left out. Every convolution is written with the pool, activation and
    norm that it gets, whether from its own keys or from the model's.
    """
    meaning = spec.model_dump(mode="json", exclude={"name", "description"})
    model = meaning["model"]
    for conv in model["conv"]:
        for key in ("pool", "activation", "norm"):
            conv[key] = conv[key] or model[key]
        if not conv["padding"]:
            conv["padding_value"] = 0.0
        if conv["pool"]["kind"] == "none":
            conv["pool"] = {"kind": "none"}
    del model["pool"], model["norm"]
    if not model["dense"]:
        del model["activation"]
    # a key of a later version, at its default, means what it meant before there was one
    for section, keys in LATER.items():
        for one in model["conv"] if section == "conv" else [meaning[section]]:
            for key, default in keys.items():
                if one[key] == default:
                    del one[key]
    canonical = json.dumps(meaning, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def to_yaml(spec: Spec) -> str:
    """Return the resolved spec as YAML that `load_spec` reads back to an equal spec."""
    resolved = spec.model_dump(mode="json", exclude_none=True)
    return yaml.dump(resolved, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Quotes what is text in YAML 1.1 but a number in 1.2, such as the name `1e-3`."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        is_text = isinstance(parse_scalar(text), str) and "\x85" not in text  # read as a line feed
        style = None if is_text else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)


def flatten(spec: Spec) -> dict[str, Value]:
    """Return the resolved spec by dotted keys, `model.conv.0.channels: 6`; unset keys left out."""
    flat: dict[str, Value] = {}

    def walk(items: Iterable[tuple[str | int, Any]], above: str) -> None:
        for part, inner in items:
            kind = type(inner)  # of JSON: an isinstance of two takes as long as all of the rest
            if kind is dict and inner:
                walk(inner.items(), f"{above}{part}.")
            elif kind is list and inner:
                walk(enumerate(inner), f"{above}{part}.")
            else:
                flat[f"{above}{part}"] = str(inner).lower() if kind in (bool, list) else inner

    resolved = spec.model_dump(mode="json", exclude={"name", "description"}, exclude_none=True)
    walk(resolved.items(), "")
    return flat
