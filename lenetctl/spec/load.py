"""From a YAML file and its overrides to a `Spec`, or to every error they hold at once."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lenetctl.errors import Problem, SpecError
from lenetctl.spec import explain
from lenetctl.spec.schema import Spec
from lenetctl.spec.yaml import MAX_BYTES, Document, Origin, dotted, read
from lenetctl.spec.yaml import Path as KeyPath

MAX_EXTENDS = 16


def load(path: str | Path, overrides: Sequence[str] = ()) -> Spec:
    """Return the spec that `path` describes, with each `key=value` of `overrides` set.

    Raises:
        SpecError: with every problem of the file, the files it extends and the overrides.

    """
    path = Path(path)
    document = _extended(path, ())
    document.value.setdefault("name", re.sub(r"[^\w.+=-]+", "-", path.stem).lstrip(".+=-") or "x")
    problems = document.problems
    for override in overrides:
        try:
            document = _override(document, override)
        except SpecError as error:
            problems = [*problems, *error.problems]
    try:
        spec = Spec.model_validate(document.value)
    except ValidationError as error:
        problems = [*problems, *explain.problems(error, document, str(path))]
    if problems:
        raise SpecError(sorted(set(problems), key=lambda p: (p.file, p.line or 0, p.key)))
    return spec


def _extended(path: Path, chain: tuple[Path, ...]) -> Document:
    """Return the file at `path` merged over the file that it extends, if any."""
    here = path.resolve()
    document = _read_file(path)
    base = document.value.pop("extends", None)
    if base is None:
        return document
    origin = document.origins["extends",]
    problem: str | None = None
    if not isinstance(base, str) or not base or Path(base).is_absolute():
        problem = "must be the path of a spec, relative to this file"
    elif here in chain or len(chain) >= MAX_EXTENDS:
        problem = f"a cycle: {' → '.join(p.name for p in (*chain, here))}"
    elif not (path.parent / base).is_file():
        problem = f"there is no file {path.parent / base}"
    if problem:
        raise SpecError([Problem(origin.file, origin.line, "extends", problem)])
    below = _extended(path.parent / base, (*chain, here))
    below.value.pop("name", None)  # a name says which file it is: it is not handed down
    below.value.pop("description", None)
    return _merge(below, document)


def _read_file(path: Path) -> Document:
    def refuse(message: str) -> SpecError:
        return SpecError([Problem(str(path), None, "", message)])

    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)  # read no more of a giant file than tells
        document = read(content.decode("utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        raise refuse(f"not UTF-8 text (byte {error.start})") from error
    except IsADirectoryError as error:
        raise refuse("is a folder, not a spec") from error
    except (OSError, ValueError) as error:
        raise refuse(getattr(error, "strerror", None) or str(error)) from error
    if document.value is None:
        return Document({}, document.origins, document.problems)
    if not isinstance(document.value, dict):
        raise refuse("a spec is a mapping of keys to values")
    return document


def _merge(base: Document, over: Document) -> Document:
    """Return `over` laid on `base`: mappings merge, lists and scalars replace."""
    origins = dict(base.origins)

    def replace(path: KeyPath) -> None:
        for known in [known for known in origins if known[: len(path)] == path]:
            del origins[known]
        origins.update((p, o) for p, o in over.origins.items() if p[: len(path)] == path)

    def lay(below: dict[str, Any], above: dict[str, Any], path: KeyPath) -> dict[str, Any]:
        merged = dict(below)
        for key, value in above.items():
            here = (*path, key)
            if isinstance(value, dict) and isinstance(below.get(key), dict):
                merged[key] = lay(below[key], value, here)
            else:
                merged[key] = value
                replace(here)
        return merged

    merged = lay(base.value, over.value, ())
    return Document(merged, origins, [*base.problems, *over.problems])


def _override(document: Document, override: str) -> Document:
    """Return `document` with one `dotted.path=value` set; the value is read as YAML."""
    source = f"-s {override}"
    key, equals, text = override.partition("=")
    path: KeyPath = tuple(int(part) if part.isdecimal() else part for part in key.split("."))
    if not equals or not all(part != "" for part in path):
        raise SpecError([Problem(source, None, "", "write key=value, as in training.epochs=3")])
    value = read(text, source).value
    tree = _set(document.value, path, value, source)
    origins = {p: o for p, o in document.origins.items() if p[: len(path)] != path}
    return Document(tree, {**origins, path: Origin(source)}, document.problems)


def _set(tree: Any, path: KeyPath, value: Any, source: str, depth: int = 0) -> Any:  # noqa: ANN401
    """Return `tree` with `value` at `path`, mappings made where there were none."""
    if depth == len(path):
        return value
    part = path[depth]
    if tree is None and isinstance(part, int):
        tree = _default(path[:depth])
    if isinstance(tree, list):
        if not isinstance(part, int) or part >= len(tree):
            entries = f"entries 0 to {len(tree) - 1}" if tree else "no entries"
            message = f"{part} is not one of its {entries}"
            raise SpecError([Problem(source, None, dotted(path[:depth]), message)])
        return [
            _set(item, path, value, source, depth + 1) if i == part else item
            for i, item in enumerate(tree)
        ]
    below = dict(tree) if isinstance(tree, dict) else {}
    below[str(part)] = _set(below.get(str(part)), path, value, source, depth + 1)
    return below


def _default(path: KeyPath) -> Any:  # noqa: ANN401
    """Return what `path` holds in a spec that leaves it out, so that an entry of it can be set."""
    value: Any = Spec(name="default").model_dump(mode="json", exclude_none=True)
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value
