"""YAML as plain data with line numbers. The text is not trusted.

PyYAML reads YAML 1.1, where `1e-3` is a string, `010` is 8, `12:30` is 750 and `on` is true, and
keeps the last of two equal keys. Here the scalars are those of YAML 1.2's core schema, and
whatever a spec has no use for is refused.
"""

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lenetctl.errors import Problem, SpecError
from lenetctl.specs.reference.shipped import suggestion

MAX_BYTES = 1_000_000
MAX_DEPTH = 16
MAX_NODES = 5_000  # mappings, lists and scalars, with every alias written out

KeyPath = tuple[str | int, ...]
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C, where PyYAML was built with it

_NULL = re.compile(r"null|Null|NULL|~|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,100}")  # int() is slow with long texts, and refuses longer ones
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True)
class Origin:
    """Where a value was written."""

    file: str
    line: int | None = None


@dataclass(frozen=True)
class Document:
    """Plain dicts, lists and scalars, the origin of each by its path, and the problems."""

    value: Any
    origins: dict[KeyPath, Origin]
    problems: list[Problem] = field(default_factory=list)


def read_yaml_file(path: Path) -> Document:
    """Return what the file at `path` holds.

    Raises:
        SpecError: the file cannot be read, or `parse_yaml` raises it.

    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe could keep us waiting for ever
            raise SpecError([Problem(str(path), None, "", "is not a file")])
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        message = getattr(error, "strerror", None) or str(error)
        if isinstance(error, FileNotFoundError):
            message += suggestion(path)
        raise SpecError([Problem(str(path), None, "", message)]) from error
    if len(content) > MAX_BYTES:
        raise SpecError([Problem(str(path), None, "", f"larger than {MAX_BYTES:,} bytes")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SpecError([Problem(str(path), line, "", "not UTF-8 text")]) from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, file: str) -> Document:
    """Return what `text` holds; problems name `file` as its origin.

    A key written twice is one of the document's problems, to be reported with those of the schema.

    Raises:
        SpecError: the text is not YAML, or has tags, too many values or too deep a nesting.

    """
    try:
        _check_events(text, file)
        root = yaml.compose(text, Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        reason = ", ".join(filter(None, (error.context, error.problem)))
        raise SpecError([Problem(file, line, "", f"not valid YAML: {reason}")]) from error
    except (yaml.reader.ReaderError, UnicodeEncodeError) as error:
        at = error.position if isinstance(error, yaml.reader.ReaderError) else error.start
        line = text.count("\n", 0, at) + 1
        raise SpecError([Problem(file, line, "", f"not valid YAML: {error.reason}")]) from error
    reader = _Reader(file)
    value = None if root is None else reader.construct(root, ())
    return Document(value, reader.origins, reader.problems)


def parse_scalar(text: str) -> Any:
    """Return what a plain scalar of YAML 1.2 means: `1e-3` is a number, `on` is a string."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return bool(_TRUE.fullmatch(text))
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text) + 0.0  # -0.0 becomes 0.0: they mean the same experiment
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", "", 1))
    return text


def _check_events(text: str, file: str) -> None:
    """Refuse deep nesting, many values and tags before a tree of nodes is built.

    Building the tree recurses: deep nesting would exhaust the stack.
    """
    depth = 0
    event: Any
    for count, event in enumerate(yaml.parse(text, Loader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        tag = getattr(event, "tag", None)
        if depth > MAX_DEPTH:
            message = "nested too deeply"
        elif count > 2 * MAX_NODES:  # a node has one event, or two: its start and its end
            message = "too many values"
        elif tag:
            message = f"the tag {tag[:60]} is refused: specs are plain data"
        else:
            continue
        raise SpecError([Problem(file, event.start_mark.line + 1, "", message)])


class _Reader:
    """Walks a tree of nodes once, and collects values, origins and problems."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.origins: dict[KeyPath, Origin] = {}
        self.problems: list[Problem] = []
        self.nodes = 0

    def construct(self, node: yaml.Node, path: KeyPath) -> Any:
        line = node.start_mark.line + 1
        self.nodes += 1
        if self.nodes > MAX_NODES or len(path) > MAX_DEPTH:
            message = "too many values, or nested too deeply, once its aliases are written out"
            raise SpecError([*self.problems, Problem(self.file, line, "", message)])
        self.origins.setdefault(path, Origin(self.file, line))
        if isinstance(node, yaml.MappingNode):
            return dict(self._items(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self.construct(item, (*path, i)) for i, item in enumerate(node.value)]
        is_plain = not getattr(node, "style", None)  # neither quoted nor a block of text
        return parse_scalar(node.value) if is_plain else node.value

    def _items(self, node: yaml.MappingNode, path: KeyPath) -> Iterator[tuple[str, Any]]:
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._report(key_node, path, "a key must be a word")
                continue
            key, line = key_node.value, key_node.start_mark.line + 1
            if key in lines:
                self._report(key_node, (*path, key), f"written twice, first in line {lines[key]}")
                continue
            lines[key] = line
            self.origins[(*path, key)] = Origin(self.file, line)
            yield key, self.construct(value_node, (*path, key))

    def _report(self, node: yaml.Node, path: KeyPath, message: str) -> None:
        key = dotted(path)
        self.problems.append(Problem(self.file, node.start_mark.line + 1, key, message))


def dotted(path: KeyPath) -> str:
    """Return `model.conv.0.channels` for `("model", "conv", 0, "channels")`."""
    return ".".join(str(part)[:100] for part in path)
