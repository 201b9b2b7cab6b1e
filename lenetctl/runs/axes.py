"""What a sweep varies: `-g key=a,b,c`, `--seeds`, and the file `sweep.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from lenetctl.errors import Problem, SpecError
from lenetctl.spec.yaml import Origin, dotted, read, read_file

SEED = "training.seed"
KEYS = ("base", "seeds", "grid")


@dataclass(frozen=True)
class Axis:
    """A key of a spec, the values that it takes in turn, and where that is written."""

    key: str
    values: list[Any]
    origin: Origin


@dataclass(frozen=True)
class SweepFile:
    """What a `sweep.yaml` says: the spec to vary (None: every spec beside it), and how."""

    base: Path | None
    axes: Mapping[str, Axis]


def parse(text: str, option: str = "-g") -> Axis:
    """Return the axis that `key=a,b,c` describes; the values are read as YAML.

    Raises:
        SpecError: there is no key, no value, or a value that is no YAML.

    """
    source = f"{option} {text}"
    key, _, values = text.partition("=")
    if not key or not values:
        message = "write key=a,b,c, as in model.pool.kind=avg,max"
        raise SpecError([Problem(source, None, "", message)])
    return Axis(key, read(f"[{values}]", source).value, Origin(source))


def read_sweep(path: Path) -> SweepFile:
    """Return what the `sweep.yaml` at `path` says.

    Raises:
        SpecError: with every problem of the file.

    """
    document = read_file(path)
    value = {} if document.value is None else document.value
    problems = list(document.problems)

    def refuse(message: str, *key: str) -> None:
        problems.append(Problem(str(path), document.origins[key].line, dotted(key), message))

    def axis(name: str, values: Any, *key: str) -> Axis:
        if not isinstance(values, list) or not values:
            refuse("must be a list of one or more values", *key)
            values = []
        return Axis(name, values, document.origins[key])

    if not isinstance(value, dict):
        refuse(f"a sweep is a mapping of the keys {', '.join(KEYS)}")
        raise SpecError(problems)
    for key in value.keys() - set(KEYS):
        refuse(_unknown(key), key)
    base, grid = value.get("base"), value.get("grid", {})
    if "base" in value and not (isinstance(base, str) and (path.parent / base).is_file()):
        refuse("must be the path of a spec, relative to this file", "base")
    if not isinstance(grid, dict):
        refuse("must be a mapping of dotted keys to lists of values", "grid")
        grid = {}
    axes = {key: axis(key, values, "grid", key) for key, values in grid.items()}
    if "seeds" in value:
        axes[SEED] = axis(SEED, value["seeds"], "seeds")
    if problems:
        raise SpecError(sorted(problems, key=lambda problem: problem.line or 0))
    return SweepFile(path.parent / base if base else None, axes)


def _unknown(key: str) -> str:
    close = get_close_matches(key, KEYS, n=1)
    did_you_mean = f"; did you mean {close[0]}?" if close else ""
    return f"unknown key (allowed: {', '.join(KEYS)}){did_you_mean}"
