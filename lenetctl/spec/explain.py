"""Pydantic's errors in the words of a spec: the line, the allowed values, a suggestion."""

import re
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lenetctl.errors import Problem
from lenetctl.spec.schema import Section, Spec
from lenetctl.spec.yaml import Document, Origin, Path, dotted

EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a mapping of keys to values",
    "finite_number": "a finite number",
    "float_type": "a number",
    "int_from_float": "an integer",
    "int_type": "an integer",
    "model_attributes_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "string_type": "text",
    "tuple_type": "a list",
}


def problems(error: ValidationError, document: Document, file: str) -> list[Problem]:
    """Return every problem of `document`, whose validation ended in `error`."""
    first = error.errors()
    details = [*first, *_hidden(first, document.value)]
    return [_problem(one, document, file) for one in details]


def _hidden(first: list[ErrorDetails], value: Any) -> list[ErrorDetails]:  # noqa: ANN401
    """Return the impossible combinations that pydantic did not look for, because of `first`.

    What is wrong is taken out and the rest validated again. Where a default had to stand in for a
    wrong value of a convolution or a pool, the shapes would be those of another net: no word then.
    """
    rest = value
    for one in first:
        rest = _without(rest, _path(one, value))
    replaced = {_path(one, value)[:2] for one in first if one["type"] != "extra_forbidden"}
    other_net = bool(replaced & {("model",), ("model", "conv"), ("model", "pool")})
    known = {(one["loc"], one["msg"]) for one in first}
    try:
        Spec.model_validate(rest)
    except ValidationError as second:
        return [
            one
            for one in second.errors()
            if one["type"] == "impossible"
            and (one["loc"], one["msg"]) not in known
            and not (one["loc"][:1] == ("model",) and other_net)
        ]
    return []


def _without(value: Any, path: Path) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        inside = {k: v if k != path[0] else _without(v, path[1:]) for k, v in value.items()}
        return {k: v for k, v in inside.items() if k != path[0] or len(path) > 1}
    if isinstance(value, list) and len(path) > 1:
        return [_without(v, path[1:]) if i == path[0] else v for i, v in enumerate(value)]
    return value


def _path(details: ErrorDetails, value: Any) -> Path:  # noqa: ANN401
    """Return the keys to what is wrong, without the tags that pydantic puts in for unions."""
    path: Path = ()
    for part in details["loc"]:
        there = _child(value, part)
        if there is not _NOTHING:
            value, path = there, (*path, part)
        elif part == details["loc"][-1] and details["type"] == "missing":
            path = (*path, part)
    if details["type"].startswith("union_tag"):
        path = (*path, "kind")
    return (*path, *details.get("ctx", {}).get("at", ()))


_NOTHING = object()


def _child(value: Any, part: str | int) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return value.get(part, _NOTHING)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return _NOTHING


def _problem(details: ErrorDetails, document: Document, file: str) -> Problem:
    path = _path(details, document.value)
    written = (document.origins.get(path[:n]) for n in range(len(path), -1, -1))
    origin = next((one for one in written if one), Origin(file))
    return Problem(origin.file, origin.line, dotted(path), _message(details, path, document.value))


def _message(details: ErrorDetails, path: Path, value: Any) -> str:  # noqa: ANN401
    kind, context, given = details["type"], details.get("ctx", {}), details["input"]
    if kind == "extra_forbidden":
        return f"unknown key{_suggestion(str(path[-1]), _keys(path[:-1], value))}"
    if kind in ("literal_error", "union_tag_invalid"):
        allowed = re.findall(r"'([^']*)'", context.get("expected") or context["expected_tags"])
        tag = context.get("tag", given)
        return f"{_shown(tag)} is not allowed{_suggestion(str(tag), allowed)}"
    if kind == "missing":
        return "is needed"
    if kind == "string_pattern_mismatch":
        return f"{_shown(given)} is not allowed: letters, digits, '_', '-' and '.', no '..', no '/'"
    expected = EXPECTED.get(kind) or details["msg"].removeprefix("Input should be ")
    return expected if kind == "impossible" else f"must be {expected}, not {_shown(given)}"


def _shown(value: Any) -> str:  # noqa: ANN401
    text = {True: "true", False: "false"}.get(value) if isinstance(value, bool) else repr(value)
    text = str(text)
    return text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004  a line's worth


def _suggestion(word: str, allowed: list[str]) -> str:
    close = get_close_matches(word, allowed, n=1)
    did_you_mean = f"; did you mean {close[0]}?" if close else ""
    return f" (allowed: {', '.join(allowed)}){did_you_mean}"


def _keys(path: Path, value: Any) -> list[str]:  # noqa: ANN401
    """Return the keys that the mapping at `path` may have."""
    sections: list[type[Section]] = [Spec]
    for part in path:
        value = _child(value, part)
        if isinstance(part, str):
            fields = [section.model_fields[part] for section in sections]
            sections = [inner for field in fields for inner in _sections(field.annotation)]
        if isinstance(value, dict) and "kind" in value:
            sections = [one for one in sections if value["kind"] in _kinds(one)] or sections
    keys = dict.fromkeys(key for section in sections for key in section.model_fields)
    return [*keys, *(() if path else ("extends",))]


def _kinds(section: type[Section]) -> tuple[str, ...]:
    return get_args(section.model_fields["kind"].annotation)


def _sections(annotation: Any) -> list[type[Section]]:  # noqa: ANN401
    """Return the sections that `annotation` names, however deep in unions and tuples."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [section for inner in get_args(annotation) for section in _sections(inner)]
