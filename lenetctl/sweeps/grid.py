"""What a sweep varies: `-g key=a,b,c`, `--seeds`, and the file `sweep.yaml`."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from lenetctl.errors import Problem, SpecError
from lenetctl.specs.reference.shipped import SWEEP_KEYS
from lenetctl.specs.yaml import Origin, dotted, parse_yaml, read_yaml_file

SEED = "training.seed"


@dataclass(frozen=True)
class SweptKey:
    """A key of a spec, the values that it takes in turn, and where that is written."""

    key: str
    values: list[Any]
    origin: Origin


@dataclass(frozen=True)
class SweepFile:
    """What a `sweep.yaml` says: the spec to vary (None: every spec beside it), and how."""

    base: Path | None
    grid: Mapping[str, SweptKey]
    search: Mapping[str, SweptKey]  # for `--search`


def swept_keys(grid: Sequence[str] | None, seeds: str | None) -> dict[str, SweptKey]:
    """Return by key what the options `-g key=a,b,c` and `--seeds 0,1,2` describe.

    Raises:
        SpecError: as `parse_grid_option`, or a range of seeds.

    """
    swept = [parse_grid_option(text) for text in grid or []]
    if seeds is not None:
        if found := re.fullmatch(r"(\d{1,2})(?:-|:|\.\.)(\d{1,2})", seeds.strip()):
            numbers = ",".join(map(str, range(int(found[1]), int(found[2]) + 1)))
            message = f"write the seeds one by one: --seeds {numbers}"
            raise SpecError([Problem(f"--seeds {seeds}", None, "", message)])
        values = parse_grid_option(f"{SEED}={seeds}").values
        swept.append(SweptKey(SEED, values, Origin(f"--seeds {seeds}")))
    return {key.key: key for key in swept}


def parse_grid_option(text: str, option: str = "-g") -> SweptKey:
    """Return the key and values that `key=a,b,c` describes; the values are read as YAML.

    Raises:
        SpecError: there is no key, no value, or a value that is no YAML.

    """
    source = f"{option} {text}"
    key, _, values = text.partition("=")
    if not key or not values:
        message = "write key=a,b,c, as in model.pool.kind=avg,max"
        raise SpecError([Problem(source, None, "", message)])
    return SweptKey(key, parse_yaml(f"[{values}]", source).value, Origin(source))


def read_sweep_file(path: Path) -> SweepFile:
    """Return what the `sweep.yaml` at `path` says.

    Raises:
        SpecError: with every problem of the file.

    """
    file = _File(path)
    if not isinstance(file.value, dict):
        file.refuse(f"a sweep is a mapping of the keys {', '.join(SWEEP_KEYS)}")
        raise SpecError(file.problems)
    for key in file.value.keys() - set(SWEEP_KEYS):
        file.refuse(_unknown(key), key)
    base = file.value.get("base")
    if "base" in file.value and not (isinstance(base, str) and (path.parent / base).is_file()):
        file.refuse("must be the path of a spec, relative to this file", "base")
    grid, search = file.section("grid"), file.section("search")
    if "seeds" in file.value:
        grid[SEED] = file.swept_key(SEED, file.value["seeds"], "seeds")
    if file.problems:
        raise SpecError(sorted(file.problems, key=lambda problem: problem.line or 0))
    return SweepFile(path.parent / base if base else None, grid, search)


def as_setting(key: str, value: Any) -> str:
    """Return `key=value` as `-s` reads it, plain words without quotes."""
    plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z_]\w*", value)
    word = plain and value.lower() not in ("null", "true", "false")
    return f"{key}={value if word else json.dumps(value, ensure_ascii=False)}"


class _File:
    """A sweep file as it is read, and what was found wrong with it."""

    def __init__(self, path: Path) -> None:
        self._path, self._document = path, read_yaml_file(path)
        self.value: Any = {} if self._document.value is None else self._document.value
        self.problems = list(self._document.problems)

    def refuse(self, message: str, *key: str) -> None:
        line = self._document.origins[key].line
        self.problems.append(Problem(str(self._path), line, dotted(key), message))

    def section(self, name: str) -> dict[str, SweptKey]:
        keys = self.value.get(name, {})
        if not isinstance(keys, dict):
            self.refuse("must be a mapping of dotted keys to lists of values", name)
            keys = {}
        return {key: self.swept_key(key, values, name, key) for key, values in keys.items()}

    def swept_key(self, name: str, values: Any, *key: str) -> SweptKey:
        if isinstance(values, dict) and key[0] == "search":
            values = [values]  # a range
        if not isinstance(values, list) or not values:
            self.refuse("must be a list of one or more values", *key)
            values = []
        return SweptKey(name, values, self._document.origins[key])


def _unknown(key: str) -> str:
    close = get_close_matches(key, SWEEP_KEYS, n=1)
    did_you_mean = f"; did you mean {close[0]}?" if close else ""
    return f"unknown key (allowed: {', '.join(SWEEP_KEYS)}){did_you_mean}"
