"""From a YAML file and its overrides to a `Spec`, or to every error they hold at once."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lenetctl.errors import Problem, SpecError
from lenetctl.specs import messages
from lenetctl.specs.faults import find_faults
from lenetctl.specs.overrides import override
from lenetctl.specs.schema import NAME_LENGTH, Spec
from lenetctl.specs.yaml import Document, KeyPath, Origin, read_yaml_file

MAX_EXTENDS = 8


def load_spec(path: str | Path, overrides: Sequence[str] = ()) -> Spec:
    """Return the spec that `path` describes, with each `key=value` of `overrides` set.

    Raises:
        SpecError: with every problem of the file, the files it extends and the overrides.

    """
    path = Path(path)
    document = _extended(path, ())
    for text in overrides:
        document = override(document, text)
    if document.value.get("name") is None:
        document.value["name"] = _name(path)
    problems = document.problems
    try:
        spec = Spec.model_validate(document.value)
    except ValidationError as error:
        found = find_faults(error, document.value)
        problems = [*problems, *messages.as_problems(found, document, str(path))]
    if problems:
        raise SpecError(sorted(dict.fromkeys(problems), key=lambda p: (p.file, p.line or 0)))
    return spec


def _name(path: Path) -> str:
    """Return the file's stem, a dash for each character that a name cannot have."""
    name = "".join(c if c.isalpha() or c.isdecimal() or c in "_.+=-" else "-" for c in path.stem)
    return name.lstrip(".+=-")[:NAME_LENGTH] or "spec"


def _extended(path: Path, chain: tuple[Path, ...]) -> Document:
    """Return the file at `path` laid on the file that it extends, if any.

    If that one cannot be read, this one is still looked at, so that all problems are told at once.
    """
    document = _read_mapping(path)
    base = document.value.pop("extends", None)
    if base is None:
        return document
    chain = (*chain, path.resolve())
    try:
        below = _extended(_base(base, path, chain, document.origins["extends",]), chain)
    except SpecError as error:
        return replace(document, problems=[*document.problems, *error.problems])
    below.value.pop("name", None)  # a name says which file it is: it is not handed down
    below.value.pop("description", None)
    return _laid(document, below)


def _base(base: Any, path: Path, chain: tuple[Path, ...], origin: Origin) -> Path:
    """Return where the file is that `path` extends, `base` being its own word for that."""

    def refuse(message: str) -> SpecError:
        return SpecError([Problem(origin.file, origin.line, "extends", message)])

    if not isinstance(base, str) or not base or Path(base).is_absolute():
        raise refuse("must be the path of a spec, relative to this file")
    target = path.parent / base
    if not os.path.isfile(target):  # noqa: PTH113  the method raises where a name is too long
        raise refuse(f"there is no file {target}")
    if target.resolve() in chain:
        raise refuse(f"a cycle: {' → '.join(p.name for p in (*chain, target))}")
    if len(chain) >= MAX_EXTENDS:
        raise refuse(f"more than {MAX_EXTENDS} files, each extending the next")
    return target


def _read_mapping(path: Path) -> Document:
    document = read_yaml_file(path)
    if document.value is None:
        return replace(document, value={})
    if not isinstance(document.value, dict):
        line = document.origins[()].line
        raise SpecError([Problem(str(path), line, "", "a spec is a mapping of keys to values")])
    return document


def _laid(over: Document, base: Document) -> Document:
    """Return `over` laid on `base`: mappings merge, lists and scalars replace."""
    replaced: set[KeyPath] = set()

    def lay(above: dict[str, Any], below: dict[str, Any], path: KeyPath) -> dict[str, Any]:
        merged = dict(below)
        for key, value in above.items():
            here = (*path, key)
            if isinstance(value, dict) and isinstance(below.get(key), dict):
                merged[key] = lay(value, below[key], here)
            else:
                merged[key] = value
                replaced.add(here)
        return merged

    value = lay(over.value, base.value, ())
    kept = {
        path: origin
        for path, origin in base.origins.items()
        if not any(path[:n] in replaced for n in range(1, len(path) + 1))
    }
    return Document(value, kept | over.origins, [*base.problems, *over.problems])
