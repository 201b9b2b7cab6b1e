"""Everything that is wrong with a spec, found at once.

Pydantic checks a combination of keys ("early stopping needs validation images") only where each
key by itself is right: one mistake hides another. So we go on as a compiler does after a syntax
error: repair what is wrong, validate again, and report what comes to light, unless it is about a
repair. For example:

    1  model:
    2    activation: rellu
    3    conv: [{channels: six, kernel: 50}]
    4  data: {validation: many}
    5  training: {early_stopping: {}}

Round 1: `rellu` is no activation, `six` and `many` are no integers. All three are reported.
    Repair: `rellu` and `six` are replaced by valid values, which ones does not matter. `many` is
    removed: `validation` is now 0, its default, and that is a guess.
Round 2: a window of 50×50 pixels does not fit an image of 28×28. It is what the user wrote, and so
    reported. Repair: `conv` and `pool`, which this check has read, are removed.
Round 3: early stopping needs a `validation` above 0. That it is 0 is our guess (the user may have
    meant 500), so this is not reported. Repair: `early_stopping` is removed.
Round 4: nothing is wrong any more.
"""

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

# A wrong kind hides the keys of its section, these their combinations, these those of the spec.
MAX_ROUNDS = 4
# Valid values for the keys that no combination reads. Without them a wrong `channels` would take
# the whole list of convolutions away, and a layer that does not fit would stay hidden.
STAND_INS = {
    "name": "name",
    "channels": 1,
    "bias": True,
    "unit_bias": False,
    "activation": "relu",
    "norm": "none",
}


@dataclass(frozen=True)
class Fault:
    """One of pydantic's errors, at a path of the spec."""

    kind: str  # pydantic's type of error, or "impossible" for a combination of keys
    path: KeyPath
    section: type[Section]  # that the last key of the path belongs to
    choices: list[str]  # the keys or words that are allowed here, where they can be listed
    given: Any  # the value that is wrong
    message: str  # pydantic's
    context: dict[str, Any]  # pydantic's numbers and words for the message
    reads: list[KeyPath]  # of a combination, the keys that it depends on


def find_faults(tree: dict[str, Any]) -> Iterator[Fault]:
    """Yield what is wrong with `tree`, a spec as plain dicts and lists; nothing if it is valid."""
    tree = copy.deepcopy(tree)
    faults = _validate(tree)
    yield from faults
    guesses: list[KeyPath] = []
    for _ in range(MAX_ROUNDS - 1):
        for fault in faults:
            guesses += _repair(tree, fault)
        faults = _validate(tree)
        yield from (fault for fault in faults if _is_certain(fault, guesses))


def _validate(tree: dict[str, Any]) -> list[Fault]:
    try:
        Spec.model_validate(tree)
    except ValidationError as error:
        faults = [_fault(details) for details in error.errors()]
        return [one for one in faults if not _is_miscounted(one, faults)]
    return []


def _is_miscounted(fault: Fault, faults: list[Fault]) -> bool:
    """Return whether a list is too short only as pydantic leaves out the entries with faults."""
    inside = (other for other in faults if len(other.path) > len(fault.path))
    return fault.kind == "too_short" and any(_overlap(other.path, fault.path) for other in inside)


def _is_certain(fault: Fault, guesses: list[KeyPath]) -> bool:
    """Return whether `fault`, of a later round, is about what the user wrote and not a repair."""
    guessed = any(_overlap(read, guess) for read in fault.reads for guess in guesses)
    return fault.kind == "impossible" and not guessed


def _overlap(one: KeyPath, other: KeyPath) -> bool:
    """Return whether one of the paths leads to the other, or they are the same."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _repair(tree: dict[str, Any], fault: Fault) -> list[KeyPath]:
    """Replace or remove what is wrong in `tree`; return the paths where the default is a guess."""
    *_, key = fault.path
    if fault.kind == "extra_forbidden":
        _set(tree, fault.path, None)
        return []
    if key in STAND_INS:
        _set(tree, fault.path, STAND_INS[str(key)])
        return []
    in_list = next((n for n, part in enumerate(fault.path) if isinstance(part, int)), None)
    paths = fault.reads or [fault.path[:in_list]]  # without a list, the whole path
    for path in paths:
        _set(tree, path, None)
    return paths


def _set(tree: Any, path: KeyPath, value: Any) -> None:
    """Set the key at `path` to `value`, or remove it if that is None."""
    for part in path[:-1]:
        tree = tree.get(part) if isinstance(tree, dict) else tree[part]
        if not isinstance(tree, dict | list):
            return  # an earlier repair removed what held the key
    if value is None:
        tree.pop(path[-1], None)
    else:
        tree[path[-1]] = value


def _fault(details: ErrorDetails) -> Fault:
    path, section, allowed = _locate(details["loc"])
    kind, given, context = details["type"], details["input"], details.get("ctx", {})
    choices: list[str] = []
    if kind == "extra_forbidden":
        choices = [*section.model_fields, *(["extends"] if section is Spec else [])]
    elif kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
    elif kind.startswith("union_tag"):
        choices = [word for section in allowed for word in kinds(section)]
        path, given = (*path, "kind"), given.get("kind")
    reads = [(*path, *read) for read in context.get("reads", ())]
    path = (*path, *context.get("at", ()))
    return Fault(kind, path, section, choices, given, details["msg"], context, reads)


def _locate(loc: KeyPath) -> tuple[KeyPath, type[Section], list[type[Section]]]:
    """Return the keys of pydantic's `loc`, the last key's section, and the sections allowed there.

    Where a section has several kinds, `loc` names the kind after the key: for the key
    `training.optimizer.lr` it is `("training", "optimizer", "sgd", "lr")`.
    """
    path: KeyPath = ()
    section: type[Section] = Spec
    allowed: list[type[Section]] = [Spec]
    for part in loc:
        if isinstance(part, str) and len(allowed) > 1:
            allowed = [section for section in allowed if part in kinds(section)]
            continue
        path = (*path, part)
        if isinstance(part, str):
            section = allowed[0]
            field = section.model_fields.get(part)
            allowed = _sections(field.annotation) if field else []
    return path, section, allowed


def _sections(annotation: Any) -> list[type[Section]]:
    """Return the sections that `annotation` names, however deep in unions and tuples."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [section for inner in get_args(annotation) for section in _sections(inner)]


def kinds(section: type[Section]) -> tuple[str, ...]:
    """Return what the key `kind` of `section` can be, if it has one."""
    field = section.model_fields.get("kind")
    return get_args(field.annotation) if field else ()
