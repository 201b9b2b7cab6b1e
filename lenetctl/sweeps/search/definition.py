"""What a search is: one spec, what may vary of it, and how many trials to spend."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lenetctl.errors import UsageError
from lenetctl.specs.reference.shipped import SWEEP_FILE, find_shipped
from lenetctl.specs.yaml import Origin
from lenetctl.sweeps.grid import SEED, SweptKey, read_sweep_file
from lenetctl.sweeps.plan import plan_sweep
from lenetctl.sweeps.search.search_space import Choices, Range, search_dimension
from lenetctl.sweeps.trial import Trial


@dataclass(frozen=True)
class Search:
    """A search as the user describes it."""

    name: str
    source: Path  # the spec that varies
    space: tuple[Choices | Range, ...]
    seed: Mapping[str, SweptKey]  # one value, or none: the spec's own
    settings: tuple[str, ...]  # `key=value`, set on every trial
    trials: int  # in all, those of earlier commands included
    seeds_per_trial: int = 1

    @classmethod
    def of(
        cls,
        path: Path,
        grid: Mapping[str, SweptKey],
        settings: Sequence[str],
        trials: int,
        seeds_per_trial: int = 1,
    ) -> Search:
        """Read what the spec or `sweep.yaml` at `path` and `grid`, laid over it, say.

        Raises:
            SpecError: with every problem of the files or of the space.
            UsageError: nothing varies, there are several specs or seeds, or nothing to choose by.

        """
        path = find_shipped(path)
        name, source, found = path.stem, path, {}
        file = path / SWEEP_FILE if path.is_dir() else path
        if file.name == SWEEP_FILE:
            sweep = read_sweep_file(file)
            if sweep.base is None:
                raise UsageError(f"{file}: a search varies one spec; name it there: `base: FILE`")
            name, source = file.resolve().parent.name, sweep.base
            found = {**sweep.grid, **sweep.search}
        found |= grid
        seed = {SEED: found.pop(SEED)} if SEED in found else {}
        if any(len(key.values) > 1 for key in seed.values()):
            raise UsageError(
                "a search begins at one seed: --seeds-per-trial N gives each trial several"
            )
        if not found:
            raise UsageError("nothing to search: name keys with -g, or in sweep.yaml")
        space = tuple(map(search_dimension, found.values()))
        for key, choice in zip(found.values(), space, strict=True):
            # wrong keys and values are told now, where they were written
            plan_sweep(source, {**seed, key.key: replace(key, values=[*choice.extremes])}, settings)
        search = cls(name, source, space, seed, tuple(settings), trials, seeds_per_trial)
        if not search.trial({}).spec.data.validation:
            raise UsageError(
                "a search chooses by validation: hold images out, as by -s data.validation=5000"
            )
        return search

    def trial(self, values: Mapping[str, Any]) -> Trial:
        """Return the trial with `values` for some keys of the space.

        Raises:
            SpecError: they make no possible net.

        """
        grid = {key: SweptKey(key, [value], Origin("--search")) for key, value in values.items()}
        return plan_sweep(self.source, {**self.seed, **grid}, self.settings).trials[0]

    def runs(self, values: Mapping[str, Any]) -> list[Trial]:
        """Return the runs of a trial, with seeds from the spec's own on.

        Raises:
            SpecError: as `trial`.

        """
        return self._seeded(values, 0, self.seeds_per_trial)

    def fresh_runs(self, values: Mapping[str, Any], count: int) -> list[Trial]:
        """Return so many runs with seeds that no trial of the search has.

        Raises:
            SpecError: as `trial`.

        """
        return self._seeded(values, self.seeds_per_trial, count)

    def _seeded(self, values: Mapping[str, Any], skipped: int, count: int) -> list[Trial]:
        first = self.trial(values).spec.training.seed + skipped
        keys = (SweptKey(SEED, [first + n], Origin("--search")) for n in range(count))
        return [replace(self, seed={SEED: key}).trial(values) for key in keys]

    @property
    def identity(self) -> str:
        """The name of the study: another spec, space or number of seeds is another study."""
        meaning = [self.trial({}).sha256, *sorted(one.meaning for one in self.space)]
        if self.seeds_per_trial > 1:
            meaning.append(f"{self.seeds_per_trial} seeds")
        digest = hashlib.sha256(json.dumps(meaning).encode()).hexdigest()
        return f"{self.name}-{digest[:8]}"
