"""Which runs a command about several of them means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lenetctl.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from lenetctl.runs.folder import Run
    from lenetctl.runs.records import Status


def choose_runs(
    names: list[str] | None, experiment: str | None, warn: Callable[[str], None]
) -> dict[Run, str | None]:
    """Return the runs that are meant, with what a sweep that is named calls their specs.

    With those of experiments that never finished, which are counted in their rows.

    Raises:
        NotFoundError: there are none.

    """
    from lenetctl.runs.store import RunStore

    if names and experiment:
        raise UsageError("name runs or an --experiment, not both")
    if names:
        return {run: spec for name in names for run, spec in _named(name, warn).items()}
    runs = RunStore().all()
    meant = [run for run in runs if experiment in (None, run.record.experiment)]
    finished = [run for run in meant if run.is_finished]
    if not finished:
        raise NotFoundError(_nothing(experiment, meant, runs))
    done = {run.record.spec_sha256 for run in finished}
    lost = [run for run in meant if run.record.spec_sha256 not in done]
    if lost:
        states = Counter(run.status.state for run in lost)
        warn(f"left out, for they did not finish: {_counted(states)}")
    return dict.fromkeys([*finished, *lost])


def _named(name: str, warn: Callable[[str], None]) -> Mapping[Run, str | None]:
    """Return the run that `name` names, or the finished ones of the sweep that it is the path of.

    Raises:
        NotFoundError: there is none.

    """
    from lenetctl.runs.store import RunStore

    path = Path(name)
    specs = path.is_dir() and not (path / "run.json").exists() and any(path.rglob("*.yaml"))
    if specs or path.suffix in (".yaml", ".yml"):
        return _of_sweep(path, warn)
    return {RunStore().find(name): None}


def _of_sweep(path: Path, warn: Callable[[str], None]) -> dict[Run, str]:
    """Return the runs of a sweep, of whichever experiment, and the names of its specs."""
    from lenetctl.runs.store import RunStore
    from lenetctl.sweeps.plan import plan_sweep
    from lenetctl.sweeps.trial import latest_finished

    known, trials = RunStore().by_spec(), plan_sweep(path).trials
    there = {
        latest_finished(runs) or runs[-1]: trial.spec.name
        for trial in trials
        if (runs := known.get(trial.sha256))
    }
    finished = sum(run.is_finished for run in there)
    if not finished:
        raise NotFoundError(f"{path}: none of its runs has finished; lenetctl sweep {path}")
    if left := len(trials) - finished:
        warn(f"left out, for they did not finish: {left} of the {len(trials)} runs of {path}")
    return there


def _nothing(experiment: str | None, meant: list[Run], runs: list[Run]) -> str:
    """Return what to say where no finished run is meant: what there is instead."""
    from lenetctl.runs.store import ROOT

    if experiment and not meant:
        there = ", ".join(sorted({run.record.experiment for run in runs})) or "none yet"
        return f"--experiment {experiment}: no run in {ROOT} is of it (experiments here: {there})"
    there = _counted(Counter(run.status.state for run in meant)) or "none yet"
    return f"no finished run in {ROOT} to compare (runs here: {there})"


def _counted(states: Counter[Status]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
