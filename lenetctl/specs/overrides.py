"""`-s key=value`: one key of a spec set from the command line, typed and checked like the file.

And what a spec with other values is called.
"""

import copy
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from lenetctl.errors import Problem, SpecError
from lenetctl.specs.messages import short_json
from lenetctl.specs.schema import NAME_LENGTH, Spec
from lenetctl.specs.training import outdated_keys
from lenetctl.specs.yaml import MAX_DEPTH, Document, KeyPath, Origin, parse_yaml


def override(document: Document, text: str) -> Document:
    """Return `document` with one `dotted.path=value` set, the value read as YAML.

    Problems of `text` itself join those of the document. Another kind of optimizer or schedule
    takes out of the section what the file has set for the kind before.
    """
    source = f"-s {text}"
    key, equals, value = text.partition("=")
    path: KeyPath = tuple(_index_or_key(part) for part in key.split("."))
    tree, origins = document.value, document.origins
    try:
        if not equals or not key.isprintable() or "" in path or len(path) > MAX_DEPTH:
            raise _refusal("write key=value, as in training.epochs=3")
        if path == ("extends",):
            raise _refusal("a file says what it extends, the command line cannot")
        parsed = parse_yaml(value, source)
        tree, path = _set(tree, path, parsed.value)
        gone = {path} | (_drop_outdated(document, tree, path[:-1]) if path[-1] == "kind" else set())
        problems = parsed.problems
        origins = {p: o for p, o in origins.items() if p[: len(path)] not in gone}
        for n in range(1, len(path) + 1):  # the sections that were made for it come from it, too
            origins.setdefault(path[:n], Origin(source))
    except SpecError as error:
        problems = list(error.problems)
    problems = [replace(problem, file=source, line=None, key=key) for problem in problems]
    return Document(tree, origins, [*document.problems, *problems])


def parse_override(text: str) -> tuple[str, Any]:
    """Return key and value of a `key=value` that `override` has found nothing wrong with."""
    key, _, value = text.partition("=")
    return key, parse_yaml(value, f"-s {text}").value


def variant_name(name: str, values: Mapping[str, Any]) -> str:
    """Return the name of a spec with other values, but for the seed: `baseline-max-lr=0.1`."""
    parts = [name]
    for key, value in values.items():
        if key != "training.seed":
            *_, last = re.split(r"\.(?=\D)", key)  # dense.0, channels
            parts[0] = re.sub(rf"-{re.escape(last)}=[^-]*", "", parts[0])  # that it had before
            word = value if isinstance(value, str) else f"{last}={_flat(value)}"
            parts.append(re.sub(r"[^\w.+=-]+", "-", word, flags=re.ASCII).strip("-"))
    return shortened("-".join(parts))


def shortened(name: str) -> str:
    """Return `name`, one that is too long cut and with a digest, so that no two look the same."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 9]}-{digest}"


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return "-".join(f"{key}-{_flat(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return "-".join(map(_flat, value))
    return json.dumps(value, ensure_ascii=False).strip('"')


def _drop_outdated(document: Document, tree: dict[str, Any], path: KeyPath) -> set[KeyPath]:
    """Drop from the section at `path`, whose kind is set, what no override has set; return it."""
    before: Any = document.value
    section: Any = tree
    for part in path:
        before = before.get(part) or {} if isinstance(before, dict) else {}
        section = section[part]
    keys = outdated_keys(path, before, section["kind"]) if isinstance(before, dict) else set()
    gone = {(*path, key) for key in keys if not _is_overridden(document, (*path, key))}
    for *_, key in gone:
        del section[key]
    return gone


def _is_overridden(document: Document, path: KeyPath) -> bool:
    """Return whether an override has set the key at `path`, or the section that it came with."""
    places = (path[:n] for n in range(len(path), 0, -1))
    origin = next((document.origins[place] for place in places if place in document.origins), None)
    return origin is not None and origin.line is None


def _index_or_key(text: str) -> str | int:
    is_index = text.isascii() and text.isdecimal() and len(text) <= 4
    return int(text) if is_index else text


def _refusal(message: str) -> SpecError:
    return SpecError([Problem("", None, "", message)])


def _set(tree: dict[str, Any], path: KeyPath, value: Any) -> tuple[dict[str, Any], KeyPath]:
    """Return a copy of `tree` with `value` at `path`, and the path with which it is indexed.

    A number in `path` is an index in a list, but a key (a text) in a mapping.
    """
    tree = copy.deepcopy(tree)
    node: Any = tree
    above: KeyPath = ()
    for part, following in pairwise(path):
        key = _key(node, part)
        above = (*above, key)
        if isinstance(node, dict) and node.get(key) is None:
            node[key] = _default_list(tree, above) if isinstance(following, int) else {}
        node = node[key]
    key = _key(node, path[-1])
    node[key] = value
    return tree, (*above, key)


def _key(node: Any, part: str | int) -> Any:
    """Return `part` as an index of the list, or a key of the mapping, that `node` is."""
    if isinstance(node, dict):
        return str(part)
    if not isinstance(node, list):
        raise _refusal(f"{short_json(node)} has no key {part}")
    if not isinstance(part, int) or part >= len(node):
        raise _refusal(f"no entry {part} in a list of {len(node)}, counted from 0")
    return part


def _default_list(tree: dict[str, Any], path: KeyPath) -> Any:
    """Return the default of the list at `path`, so that one entry of it can be set, or {}."""
    try:
        spec = Spec.model_validate({**tree, "name": "default"})
    except ValidationError:
        spec = Spec(name="default")
    value: Any = spec.model_dump(mode="json")
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, list) else {}
