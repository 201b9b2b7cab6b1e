"""Everything wrong with a spec, where pydantic on its own would stop at the first layer of it."""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lenetctl.specs.schema import Spec
from lenetctl.specs.section import Section
from lenetctl.specs.yaml import KeyPath

MAX_ROUNDS = 4  # a wrong kind hides its section's keys, a section its combinations, all the spec's
# what a wrong value of these gives way to; no impossible combination has to do with them
STAND_INS = {"name": "name", "channels": 1, "bias": True, "activation": "relu", "norm": "none"}


@dataclass(frozen=True)
class Fault:
    """One of pydantic's errors, at a path of the spec."""

    kind: str  # pydantic's word for it, or "impossible"
    path: KeyPath
    section: type[Section]  # that the key belongs to
    choices: list[str]  # the keys or words that can stand here, where they can be listed
    given: Any
    message: str
    context: dict[str, Any]
    reads: list[KeyPath]  # the keys that are impossible together


def find_faults(error: ValidationError, value: dict[str, Any]) -> Iterator[Fault]:
    """Yield the errors of `value`, and the impossible combinations that these keep from view.

    Pydantic looks for combinations only in a section without other errors. So what is wrong is
    taken out and the rest validated again. A combination that reads what was taken out is left
    unsaid: it would be the default's, not what the user meant.
    """
    found = [_fault(details) for details in error.errors()]
    yield from found
    rest = copy.deepcopy(value)
    taken: list[KeyPath] = []
    for _ in range(MAX_ROUNDS):
        for fault in found:
            taken += _take_out(fault, rest)
        try:
            Spec.model_validate(rest)
        except ValidationError as again:
            found = [_fault(details) for details in again.errors()]
        else:
            return
        for fault in found:
            unsure = any(_overlap(read, path) for read in fault.reads for path in taken)
            if fault.kind == "impossible" and not unsure:
                yield fault


def _fault(details: ErrorDetails) -> Fault:
    path, section, inner = _place(details["loc"])
    kind, given, context = details["type"], details["input"], details.get("ctx", {})
    choices: list[str] = []
    if kind == "extra_forbidden":
        choices = [*section.model_fields, *(["extends"] if section is Spec else [])]
    elif kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
    elif kind.startswith("union_tag"):
        choices = [kind for one in inner for kind in kinds(one)]
        path, given = (*path, "kind"), given.get("kind")
    reads = [(*path, *read) for read in context.get("reads", ())]
    path = (*path, *context.get("at", ()))
    return Fault(kind, path, section, choices, given, details["msg"], context, reads)


def _place(loc: KeyPath) -> tuple[KeyPath, type[Section], list[type[Section]]]:
    """Return the keys to pydantic's `loc`, the section of the last key, and those that it names."""
    path: KeyPath = ()
    section: type[Section] = Spec
    inner: list[type[Section]] = [Spec]
    for part in loc:
        if isinstance(part, str) and len(inner) > 1:  # pydantic names which one of a union it is
            inner = [one for one in inner if part in kinds(one)]
            continue
        path = (*path, part)
        if isinstance(part, str):
            section = inner[0]
            field = section.model_fields.get(part)
            inner = _sections(field.annotation) if field else []
    return path, section, inner


def _sections(annotation: Any) -> list[type[Section]]:
    """Return the sections that `annotation` names, however deep in unions and tuples."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [section for inner in get_args(annotation) for section in _sections(inner)]


def kinds(section: type[Section]) -> tuple[str, ...]:
    """Return what the key `kind` of `section` can be, if it has one."""
    field = section.model_fields.get("kind")
    return get_args(field.annotation) if field else ()


def _take_out(fault: Fault, rest: dict[str, Any]) -> list[KeyPath]:
    """Take what is wrong out of `rest`; return the paths that are as their defaults now."""
    unknown = fault.kind == "extra_forbidden"
    if unknown or fault.path[-1] in STAND_INS:
        _put(rest, fault.path, None if unknown else STAND_INS[str(fault.path[-1])])
        return []
    list_at = next((n for n, part in enumerate(fault.path) if isinstance(part, int)), None)
    paths = fault.reads or [fault.path[:list_at]]  # of a list, the whole
    for path in paths:
        _put(rest, path, None)
    return paths


def _put(rest: Any, path: KeyPath, value: Any) -> None:
    for part in path[:-1]:
        rest = rest.get(part) if isinstance(rest, dict) else rest[part]
        if not isinstance(rest, dict | list):
            return  # went with something that held it
    if value is None:
        rest.pop(path[-1], None)
    else:
        rest[path[-1]] = value


def _overlap(one: KeyPath, other: KeyPath) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
