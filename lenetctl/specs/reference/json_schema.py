"""The JSON Schema of a spec file, for editors.

A file may hold more than a `Spec`: it may extend another file, give `null` for any key, and leave
out a name, or a kind where there is a usual one.
"""

from typing import Any

from lenetctl.specs.reference.keys import key_references
from lenetctl.specs.schema import Spec


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12), each key described as docs/specs.md has it."""
    schema = Spec.model_json_schema()
    schema["properties"]["extends"] = {"type": "string"}
    for section in (schema, *schema["$defs"].values()):
        needed = set(section.pop("required", [])) - {"name", "kind"}
        if needed:
            section["required"] = sorted(needed)
        for key, value in section["properties"].items():
            section["properties"][key] = {"anyOf": [_without_kinds(value), {"type": "null"}]}
    meanings = {(row.section, row.key): row.meaning for row in key_references()}
    _describe(schema, "", schema["$defs"], meanings)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _without_kinds(value: Any) -> Any:
    """Return `value` with each choice by kind as a plain one: without a kind several can fit."""
    if isinstance(value, list):
        return [_without_kinds(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    plain = {key: _without_kinds(inner) for key, inner in value.items() if key != "discriminator"}
    if "oneOf" in plain:
        plain["anyOf"] = plain.pop("oneOf")
    return plain


def _describe(
    section: dict[str, Any],
    path: str,
    definitions: dict[str, Any],
    meanings: dict[tuple[str, str], str],
) -> None:
    """Write into each property, and into those of the sections that it names, what it means."""
    kind = section["properties"].get("kind", {}).get("anyOf", [{}])[0].get("const")
    heading = f"{path} of kind {kind}" if (f"{path} of kind {kind}", "kind") in meanings else path
    for key, value in section["properties"].items():
        if meaning := meanings.get((heading, key)):
            value["description"] = meaning
        for name in _references(value):
            _describe(definitions[name], f"{path}.{key}".lstrip("."), definitions, meanings)


def _references(value: Any) -> list[str]:
    """Return the names of the definitions that a property refers to."""
    if isinstance(value, list):
        return [name for inner in value for name in _references(inner)]
    if not isinstance(value, dict):
        return []
    if "$ref" in value:
        return [value["$ref"].rpartition("/")[2]]
    return [name for inner in value.values() for name in _references(inner)]
