"""One run of a sweep that is to be, and the runs that there are of it already."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lenetctl.runs.folder import Run
from lenetctl.runs.options import RunOptions
from lenetctl.specs.schema import Spec
from lenetctl.sweeps.grid import as_setting


@dataclass(frozen=True)
class Trial:
    """One run of a sweep that is to be; the name of its spec includes the swept values."""

    spec: Spec
    sha256: str
    source: Path  # the spec's file
    overrides: dict[str, Any]  # swept keys and their values here, the seed among them
    settings: tuple[str, ...] = ()  # `key=value`, set on every trial

    @property
    def name(self) -> str:
        """The run's name: spec, swept values, seed."""
        return f"{self.spec.name}-s{self.spec.training.seed}"

    @property
    def command(self) -> str:
        """What repeats the run on its own."""
        settings = [*self.settings, *(as_setting(*item) for item in self.overrides.items())]
        options = [word for setting in settings for word in ("-s", setting)]
        return shlex.join(["lenetctl", "train", str(self.source), *options])


def latest_finished(runs: Sequence[Run]) -> Run | None:
    """Return the latest finished one of a trial's runs, the oldest first, but for imported ones."""
    mine = (run for run in reversed(runs) if run.is_finished and not run.record.imported)
    return next(mine, None)


def latest_unfinished(runs: Sequence[Run]) -> Run | None:
    """Return the run that a trial goes on with; none after a divergence, which would recur."""
    last = next((run for run in reversed(runs) if not run.record.imported), None)
    if last is None or last.is_finished or last.status.outcome == "diverged":
        return None
    return last


def finished_run(trial: Trial, options: RunOptions) -> Run | None:
    """Return the run that makes training `trial` superfluous."""
    return _on_same_images(latest_finished(options.store.of_spec(trial.sha256)), trial, options)


def unfinished_run(trial: Trial, options: RunOptions) -> Run | None:
    """Return the run that `trial` goes on with."""
    return _on_same_images(latest_unfinished(options.store.of_spec(trial.sha256)), trial, options)


def _on_same_images(run: Run | None, trial: Trial, options: RunOptions) -> Run | None:
    """Return `run` unless it is of other images than `trial` would be."""
    if run and trial.spec.data.limit and run.record.data.limit_keeps == "first":
        return None
    if run and trial.spec.data.dataset == "folder":  # whose images can have changed
        from lenetctl.data.dataset import load_dataset  # noqa: PLC0415  torch

        now = load_dataset(trial.spec.data, options.data_dir).digest
        return run if run.record.data.digest == now else None
    return run
