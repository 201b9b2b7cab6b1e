"""From a YAML file and its overrides to a `Spec`, or to all their problems at once."""

import copy
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lenetctl.errors import Problem, SpecError
from lenetctl.specs import messages
from lenetctl.specs.differences import differing_keys
from lenetctl.specs.faults import find_faults
from lenetctl.specs.identity import Value, flatten
from lenetctl.specs.overrides import override, parse_override, shortened, variant_name
from lenetctl.specs.reference.shipped import SWEEP_FILE, find_shipped
from lenetctl.specs.schema import Spec
from lenetctl.specs.training import outdated_keys
from lenetctl.specs.yaml import Document, KeyPath, Origin, dotted, read_yaml_file

MAX_EXTENDS = 8


def load_spec(source: str | Path | Mapping[str, Any], overrides: Sequence[str] = ()) -> Spec:
    """Return the spec in a file, or in a mapping, with each `key=value` of `overrides` set.

    Where there is no such file, it is the shipped spec of that name. The name of the result says
    what the overrides have changed, as those of a sweep's trials do: `baseline-max`.

    Raises:
        SpecError: with every problem of the file, the files it extends and the overrides.

    """
    spec = load_with_origins(source, overrides)[0]
    values = dict(map(parse_override, overrides))
    if not values or "name" in values:
        return spec
    changed = _changed_keys(source, spec)
    own = {key: value for key, value in values.items() if _is_within(changed, key)}
    return spec.model_copy(update={"name": variant_name(spec.name, own)})


def load_with_origins(
    source: str | Path | Mapping[str, Any], overrides: Sequence[str] = ()
) -> tuple[Spec, dict[KeyPath, Origin]]:
    """Return the spec and where each of its keys is written, those that are: file and line.

    Raises:
        SpecError: as `load_spec`.

    """
    if isinstance(source, Mapping):
        file, document = Path("spec"), Document(copy.deepcopy(dict(source)), {})
    else:
        file = find_shipped(Path(source))
        if file.name == SWEEP_FILE or file.is_dir():
            message = f"is for many runs, not one spec: lenetctl sweep {source}"
            raise SpecError([Problem(str(file), None, "", message)])
        document = _read_with_base(file, ())
    for text in overrides:
        document = override(document, text)
    if document.value.get("name") is None:
        document.value["name"] = _name_from(file)
    problems = document.problems
    try:
        spec = Spec.model_validate(document.value)
    except ValidationError:
        faults = find_faults(document.value)
        problems = [*problems, *messages.as_problems(faults, document, str(file))]
    if problems:
        raise SpecError(sorted(dict.fromkeys(problems), key=lambda p: (p.file, p.line or 0)))
    return spec, document.origins


def _changed_keys(source: str | Path | Mapping[str, Any], spec: Spec) -> list[str]:
    """Return the keys of `spec` that are not as in `source`, all where that alone is not valid."""
    try:
        before = flatten(load_with_origins(source)[0])
    except SpecError:
        before = {}
    return differing_keys([before, flatten(spec)])


def _is_within(changed: list[str], key: str) -> bool:
    return any(f"{inner}.".startswith(f"{key}.") for inner in changed)


def values_with_origins(
    source: str | Path, overrides: Sequence[str] = ()
) -> dict[str, tuple[Value, Origin | None]]:
    """Return each value of the resolved spec by dotted key, and where it is written, if it is.

    Raises:
        SpecError: as `load_spec`.

    """
    spec, origins = load_with_origins(source, overrides)
    written = {dotted(path): origin for path, origin in origins.items()}
    keys = {"name": spec.name, "description": spec.description} | flatten(spec)
    return {key: (value, written.get(key)) for key, value in keys.items()}


def _name_from(path: Path) -> str:
    """Return the file's stem, with a dash for each character that a name cannot have."""
    name = "".join(c if c.isalpha() or c.isdecimal() or c in "_.+=-" else "-" for c in path.stem)
    return shortened(name.lstrip(".+=-")) or "spec"


def _read_with_base(path: Path, chain: tuple[Path, ...]) -> Document:
    """Return the file at `path` merged into its base, the file that it extends, if there is one.

    `chain` holds the files that extend this one. Where the base cannot be read, its problems join
    those of this file.
    """
    document = _read_mapping(path)
    extends = document.value.pop("extends", None)
    if extends is None:
        return document
    chain = (*chain, path.resolve())
    try:
        base_path = _base_path(extends, path, chain, document.origins["extends",])
        base = _read_with_base(base_path, chain)
    except SpecError as error:
        return replace(document, problems=[*document.problems, *error.problems])
    base.value.pop("name", None)  # a name and a description belong to one file
    base.value.pop("description", None)
    return _merge(base, document)


def _base_path(extends: Any, path: Path, chain: tuple[Path, ...], origin: Origin) -> Path:
    """Return the path of the file that `path` extends.

    Args:
        extends: the value of the key `extends`, whatever it is
        path: the file that holds it
        chain: the files read so far, `path` the last
        origin: where the key is written

    """

    def refuse(message: str) -> SpecError:
        return SpecError([Problem(origin.file, origin.line, "extends", message)])

    if not isinstance(extends, str) or not extends or Path(extends).is_absolute():
        raise refuse("must be the path of a spec, relative to this file")
    base = path.parent / extends
    if not os.path.isfile(base):  # noqa: PTH113  the method raises where a name is too long
        raise refuse(f"there is no file {base}")
    if base.resolve() in chain:
        raise refuse(f"a cycle: {' → '.join(p.name for p in (*chain, base))}")
    if len(chain) >= MAX_EXTENDS:
        raise refuse(f"more than {MAX_EXTENDS} files, each extending the next")
    return base


def _read_mapping(path: Path) -> Document:
    document = read_yaml_file(path)
    if document.value is None:
        return replace(document, value={})
    if not isinstance(document.value, dict):
        line = document.origins[()].line
        raise SpecError([Problem(str(path), line, "", "a spec is a mapping of keys to values")])
    return document


def _merge(base: Document, document: Document) -> Document:
    """Return `document` merged into `base`: mappings merge, lists and scalars replace.

    Of an optimizer or a schedule of another kind only that is kept which means the same for both.
    """
    replaced: set[KeyPath] = set()

    def merge(old: dict[str, Any], new: dict[str, Any], path: KeyPath) -> dict[str, Any]:
        outdated = outdated_keys(path, old, new["kind"]) if "kind" in new else set()
        replaced.update((*path, key) for key in outdated)
        merged = {key: value for key, value in old.items() if key not in outdated}
        for key, value in new.items():
            here = (*path, key)
            if isinstance(value, dict) and isinstance(old.get(key), dict):
                merged[key] = merge(old[key], value, here)
            else:
                merged[key] = value
                replaced.add(here)
        return merged

    value = merge(base.value, document.value, ())
    kept = {
        path: origin
        for path, origin in base.origins.items()
        if not any(path[:n] in replaced for n in range(1, len(path) + 1))
    }
    return Document(value, kept | document.origins, [*base.problems, *document.problems])
