"""Which runs a command about several of them means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenetctl.cli.find_run import find_run
from lenetctl.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from lenetctl.runs.folder import Run
    from lenetctl.sweeps.grid import SweptKey


@dataclass(frozen=True)
class Choice:
    """Which runs a command is told to take: all of one data set, where it is not told."""

    names: Sequence[str] = ()  # of runs and sweeps
    experiment: str | None = None
    dataset: str | None = None
    grid: Mapping[str, SweptKey] = field(default_factory=dict)  # laid over sweeps that are named
    settings: Sequence[str] = ()  # key=value, set on them


def choose_runs(choice: Choice, warn: Callable[[str], None]) -> dict[Run, str | None]:
    """Return the runs that are meant, with what a sweep that is named calls their specs.

    With those of experiments that never finished, which are counted in their rows.

    Raises:
        NotFoundError: there are none.
        UsageError: options that do not go together.

    """
    from lenetctl.runs.listing.snapshot import Snapshot
    from lenetctl.runs.store import RunStore

    if choice.names and (choice.experiment or choice.dataset):
        raise UsageError("name runs or an --experiment and a --dataset, not both")
    if choice.names:
        named = (_named(name, choice, warn) for name in choice.names)
        return {run: spec for found in named for run, spec in found.items()}
    if choice.grid or choice.settings:
        raise UsageError("-s, -g and --seeds are for a PATH: name the specs or the sweep")
    runs, damaged = RunStore(kind=Snapshot).scan()
    for problem in damaged:
        warn(f"skipped: {problem}")
    meant = [run for run in runs if choice.experiment in (None, run.record.experiment)]
    meant = _of_one_dataset(meant, choice.dataset, warn)
    finished = [run for run in meant if run.status.state == "FINISHED"]
    if not finished:
        raise NotFoundError(_nothing(choice.experiment, meant, runs))
    done = {(run.record.user, run.record.spec_sha256) for run in finished}
    lost = [run for run in meant if (run.record.user, run.record.spec_sha256) not in done]
    if lost:
        states = _counted(Counter(run.status.state for run in lost))
        warn(f"left out, for they did not finish: {states}")
    return dict.fromkeys([*finished, *lost])


def _of_one_dataset(runs: list[Run], dataset: str | None, warn: Callable[[str], None]) -> list[Run]:
    """Return the runs on `dataset`, by default that of the newest finished one.

    Raises:
        UsageError: no run is on `dataset`.

    """
    finished = [run.record.data.name for run in runs if run.status.state == "FINISHED"]
    counts = Counter(finished)
    if dataset is None and len(counts) < 2:
        return runs
    if dataset is None:
        dataset = finished[-1]
        others = ", ".join(f"{n} on {name}" for name, n in counts.items() if name != dataset)
        warn(f"these are the runs on {dataset}; --dataset shows the others: {others}")
    elif dataset not in counts:
        raise UsageError(f"--dataset {dataset}: no finished run (there are {_counted(counts)})")
    return [run for run in runs if run.record.data.name == dataset]


def _named(name: str, choice: Choice, warn: Callable[[str], None]) -> Mapping[Run, str | None]:
    """Return the run that `name` names, or the finished ones of the sweep that it is the path of.

    Raises:
        NotFoundError: there is none.

    """
    from lenetctl.specs.reference.shipped import find_shipped

    path = find_shipped(Path(name))
    if not path.is_dir():
        path = Path(name)  # a shipped spec shares its name with its runs
    specs = path.is_dir() and not (path / "run.json").exists() and any(path.rglob("*.yaml"))
    if specs or path.suffix in (".yaml", ".yml") or choice.grid or choice.settings:
        return _of_sweep(path, choice, warn)
    return {find_run(name): None}


def _of_sweep(path: Path, choice: Choice, warn: Callable[[str], None]) -> dict[Run, str]:
    """Return the runs of a sweep, of whichever experiment, and the names of its specs."""
    from lenetctl.runs.store import RunStore
    from lenetctl.sweeps.plan import plan_sweep

    trials = plan_sweep(path, choice.grid, choice.settings).trials
    known = RunStore().by_spec()
    there = {
        run: trial.spec.name for trial in trials for run in _of_each(known.get(trial.sha256, []))
    }
    never = sum(trial.sha256 not in known for trial in trials)
    finished = sum(run.is_finished for run in there)
    if not finished:
        where = RunStore().elsewhere()
        raise NotFoundError(f"{path}: none of its runs has finished; lenetctl sweep {path}{where}")
    if left := never + len(there) - finished:
        of = len(there) + never
        warn(f"left out, for they did not finish: {left} of the {of} runs of {path}")
    return there


def _of_each(runs: Sequence[Run]) -> list[Run]:
    """Return of the runs of one spec, the oldest first, the one of each person that counts."""
    latest: dict[str, Run] = {}
    for run in sorted(runs, key=lambda run: run.is_finished):
        latest[run.record.user] = run
    return list(latest.values())


def _nothing(experiment: str | None, meant: list[Run], runs: list[Run]) -> str:
    """Return what to say where no finished run is meant: what there is instead."""
    from lenetctl.runs.store import ROOT, RunStore

    if experiment and not meant:
        there = ", ".join(sorted({run.record.experiment for run in runs})) or "none yet"
        return f"--experiment {experiment}: no run in {ROOT} is of it (experiments here: {there})"
    there = _counted(Counter(run.status.state for run in meant)) or "none yet"
    where = RunStore().elsewhere()
    return f"no finished run in {ROOT} to compare (runs here: {there}){where}"


def _counted(states: Counter[Any]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
