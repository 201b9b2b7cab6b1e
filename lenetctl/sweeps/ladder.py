"""The way from one spec to another by single changes, and the mixtures on it.

A mixture is the set of changes that are made. Of an order of the changes there are two ways: up
from BASE, each added in turn, and down from BEST, each taken away in turn.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from lenetctl import specs
from lenetctl.errors import SpecError, UsageError
from lenetctl.specs.differences import short_key
from lenetctl.specs.schema import NAME_LENGTH, Spec
from lenetctl.sweeps.grid import SEED, as_setting
from lenetctl.sweeps.trial import Trial

Mixture = frozenset[str]  # names of the changes that are made
Way = list[Mixture]  # from none to all; each has one more than the one before

# keys of a section that mean little without each other, by the one that they are called after
TOGETHER = {
    "nesterov": "momentum",
    **dict.fromkeys(("stride", "padding", "padding_value"), "kernel"),
}


@dataclass(frozen=True)
class Change:
    """Keys that are changed together, with their values in BASE and in BEST."""

    name: str
    before: Mapping[str, Any]  # by dotted key
    after: Mapping[str, Any]


@dataclass(frozen=True)
class Ladder:
    """Two specs, and the changes that lead from one to the other."""

    source: Path  # BASE's file
    base: Spec
    best: Spec
    changes: Mapping[str, Change]  # by name, in the order of the keys
    settings: tuple[str, ...] = ()  # `key=value`, set on both
    impossible: dict[Mixture, str] = field(default_factory=dict)  # those met, and why

    @classmethod
    def of(cls, base: Path, best: Path, settings: Sequence[str] = ()) -> Ladder:
        """Read the two specs and find what differs.

        Raises:
            SpecError: with every problem of a spec.
            UsageError: they mean the same, or learn from different data sets.

        """
        low, high = (specs.load_spec(path, settings) for path in (base, best))
        if (low.data.dataset, low.data.folder) != (high.data.dataset, high.data.folder):
            raise UsageError(f"{base} and {best} have different data sets: nothing to compare")
        changes = find_changes(low, high)
        if not changes:
            raise UsageError(f"{base} and {best} differ in nothing but the seed")
        return cls(base, low, high, changes, tuple(settings))

    @property
    def name(self) -> str:
        """What the ladder is called as a sweep."""
        return f"{self.base.name}-to-{self.best.name}"[:NAME_LENGTH]

    @cached_property
    def all_changes(self) -> Mixture:
        """BEST as a mixture."""
        return frozenset(self.changes)

    def trial(self, mixture: Mixture, seed: int) -> Trial:
        """Return the trial of a mixture with a seed.

        Raises:
            SpecError: the changes make no possible net.

        """
        made = [self.changes[name] for name in self.changes if name in mixture]
        values = {key: value for change in made for key, value in change.after.items()}
        values[SEED] = seed
        own = (as_setting(*item) for item in values.items())
        spec = specs.load_spec(self.source, [*self.settings, *own])
        named = spec.model_copy(update={"name": self._name(mixture)})
        return Trial(named, specs.sha256(named), self.source, values, self.settings)

    def ways(self, orders: int = 0) -> list[Way]:
        """Return the ways up and down in the order of the keys, and in so many random orders.

        A change that would make no possible net waits for the ones that make it possible.
        """
        names, drawn = [*self.changes], random.Random(0)  # noqa: S311  the same ones every time
        found = []
        for number in range(orders + 1):
            order = drawn.sample(names, len(names)) if number else names
            found.append(_way(order, self._is_possible))
            down = _way(order, lambda gone: self._is_possible(self.all_changes - gone))
            found.append([self.all_changes - gone for gone in reversed(down)])
        return found

    def _is_possible(self, mixture: Mixture) -> bool:
        if mixture in self.impossible:
            return False
        try:
            self.trial(mixture, seed=0)
        except SpecError as error:
            self.impossible[mixture] = error.problems[0].message
            return False
        return True

    def _name(self, mixture: Mixture) -> str:
        """Return `base+pool+norm`, or `best-without-pool` where that is shorter."""
        made = [name for name in self.changes if name in mixture]
        if 2 * len(made) <= len(self.changes):
            return "+".join([self.base.name, *made])[:NAME_LENGTH]
        gone = [name for name in self.changes if name not in mixture]
        words = ["without", "+".join(gone)] if gone else []
        return "-".join([self.best.name, *words])[:NAME_LENGTH]


def added(way: Way) -> Iterator[tuple[str, Mixture, Mixture]]:
    """Yield each step of a way: the change, the mixture before it and the one with it."""
    for before, after in pairwise(way):
        (name,) = after - before
        yield name, before, after


def find_changes(base: Spec, best: Spec) -> dict[str, Change]:
    """Return what differs, by name, key by key where each means something without the others.

    An optimizer, a schedule or a list of convolutions is one change where it becomes one of another
    kind or length; a pool is one always.
    """
    old, new = (
        spec.model_dump(mode="json", exclude={"name", "description"}) for spec in (base, best)
    )
    before: dict[str, dict[str, Any]] = defaultdict(dict)
    after: dict[str, dict[str, Any]] = defaultdict(dict)
    for section, keys in old.items():
        for path in (f"{section}.{key}" for key in keys if f"{section}.{key}" != SEED):
            _, _, key = path.partition(".")
            for name, where, value, other in _parts(path, keys[key], new[section][key]):
                before[short_key(name)][where] = value
                after[short_key(name)][where] = other
    return {name: Change(name, before[name], after[name]) for name in before}


def _parts(path: str, old: Any, new: Any) -> Iterator[tuple[str, str, Any, Any]]:
    """Yield name of the change, key, and both values of all that differs below `path`."""
    if path == "model.conv" and len(old) == len(new):
        for number, (conv, other) in enumerate(zip(old, new, strict=True)):
            for key in conv:
                if conv[key] != other[key]:
                    name = f"{path}.{TOGETHER.get(key, key)}"
                    yield name, f"{path}.{number}.{key}", conv[key], other[key]
    elif path in ("training.optimizer", "training.schedule") and old["kind"] == new["kind"]:
        for key in old:
            if old[key] != new[key]:
                yield f"{path}.{TOGETHER.get(key, key)}", f"{path}.{key}", old[key], new[key]
    elif old != new:
        yield path, path, old, new


def _way(order: Sequence[str], is_possible: Callable[[Mixture], bool]) -> Way:
    rungs: Way = [frozenset()]
    waiting = [*order]
    while waiting:
        here = rungs[-1]
        # where no single change leads on, the rung is left out when the runs are made
        name = next((name for name in waiting if is_possible(here | {name})), waiting[0])
        waiting.remove(name)
        rungs.append(here | {name})
    return rungs
