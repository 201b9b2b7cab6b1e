"""`-s key=value`: one key of a spec set from the command line, typed and checked like the file."""

import copy
from dataclasses import replace
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from lenetctl.errors import Problem, SpecError
from lenetctl.specs.messages import shown
from lenetctl.specs.schema import Spec
from lenetctl.specs.yaml import MAX_DEPTH, Document, KeyPath, Origin, parse_yaml


def override(document: Document, text: str) -> Document:
    """Return `document` with one `dotted.path=value` set, the value read as YAML.

    What is wrong with `text` itself joins the document's problems.
    """
    source = f"-s {text}"
    key, equals, value = text.partition("=")
    path: KeyPath = tuple(_part(part) for part in key.split("."))
    tree, origins = document.value, document.origins
    try:
        if not equals or not key.isprintable() or "" in path or len(path) > MAX_DEPTH:
            raise _refusal("write key=value, as in training.epochs=3")
        if path == ("extends",):
            raise _refusal("a file says what it extends, the command line cannot")
        given = parse_yaml(value, source)
        tree, path = _with(tree, path, given.value)
        problems = given.problems
        origins = {p: o for p, o in origins.items() if p[: len(path)] != path}
        for n in range(1, len(path) + 1):  # what it had to make on the way is its own, too
            origins.setdefault(path[:n], Origin(source))
    except SpecError as error:
        problems = list(error.problems)
    told = [replace(problem, file=source, line=None, key=key) for problem in problems]
    return Document(tree, origins, [*document.problems, *told])


def _part(text: str) -> str | int:
    is_index = text.isascii() and text.isdecimal() and len(text) <= 4
    return int(text) if is_index else text


def _refusal(message: str) -> SpecError:
    return SpecError([Problem("", None, "", message)])


def _with(tree: dict[str, Any], path: KeyPath, value: Any) -> tuple[dict[str, Any], KeyPath]:
    """Return `tree` with `value` at `path`, and `path` with its numbers as indices or keys."""
    tree = copy.deepcopy(tree)
    node: Any = tree
    way: KeyPath = ()
    for part, following in pairwise(path):
        key = _key(node, part)
        way = (*way, key)
        if isinstance(node, dict) and node.get(key) is None:
            node[key] = _default_list(tree, way) if isinstance(following, int) else {}
        node = node[key]
    key = _key(node, path[-1])
    node[key] = value
    return tree, (*way, key)


def _key(node: Any, part: str | int) -> Any:
    """Return `part` as `node` is indexed with it."""
    if isinstance(node, dict):
        return str(part)
    if not isinstance(node, list):
        raise _refusal(f"{shown(node)} has no key {part}")
    if not isinstance(part, int) or part >= len(node):
        raise _refusal(f"no entry {part} in a list of {len(node)}, counted from 0")
    return part


def _default_list(tree: dict[str, Any], path: KeyPath) -> Any:
    """Return the list that stands at `path` where the file leaves it out, so that it can be set."""
    try:
        spec = Spec.model_validate({**tree, "name": "default"})
    except ValidationError:
        spec = Spec(name="default")
    value: Any = spec.model_dump(mode="json")
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, list) else {}
