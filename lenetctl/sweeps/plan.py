"""What trials a sweep has: every spec of a folder, a `sweep.yaml`, or one spec and a grid."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lenetctl import specs
from lenetctl.errors import Problem, SpecError, UsageError
from lenetctl.runs.store import ROOT
from lenetctl.specs.load import load_with_origins
from lenetctl.specs.overrides import override, variant_name
from lenetctl.specs.reference.shipped import SWEEP_FILE, find_shipped
from lenetctl.specs.schema import Spec
from lenetctl.specs.yaml import Document
from lenetctl.sweeps.grid import SweptKey, as_setting, read_sweep_file
from lenetctl.sweeps.trial import Trial

MAX_PROBLEMS = 100


@dataclass(frozen=True)
class SweepPlan:
    """The trials of a sweep in the order in which they are run, no two the same experiment."""

    name: str
    trials: list[Trial]
    duplicates: list[tuple[str, str]]  # a trial that was left out, and the one it equals


def plan_sweep(
    path: Path,
    grid: Mapping[str, SweptKey] | None = None,
    settings: Sequence[str] = (),
) -> SweepPlan:
    """Return the trials of the folder, `sweep.yaml` or spec at `path`, or shipped under that name.

    `grid` is laid over those of the files, and `settings` (`key=value`) hold for every trial.

    Raises:
        SpecError: with every problem of every file and every trial.
        UsageError: there is no spec in the folder.

    """
    path = find_shipped(path)
    trials: dict[str, Trial] = {}
    duplicates: list[tuple[str, str]] = []
    problems: list[Problem] = []
    for source, own in _sources(path, {}):
        try:
            for trial in _trials(source, {**own, **(grid or {})}, tuple(settings), problems):
                first = trials.setdefault(trial.sha256, trial)
                if first is not trial:
                    duplicates.append((trial.name, first.name))
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(list(dict.fromkeys(problems))[:MAX_PROBLEMS])
    if not trials:
        raise UsageError(f"{path}: there is no spec in it (*.yaml other than {SWEEP_FILE})")
    return SweepPlan(_name(path), list(trials.values()), duplicates)


def _name(path: Path) -> str:
    if path.is_dir():
        return path.resolve().name
    return path.resolve().parent.name if path.name == SWEEP_FILE else path.stem


def _sources(
    path: Path, inherited: Mapping[str, SweptKey]
) -> Iterator[tuple[Path, Mapping[str, SweptKey]]]:
    """Yield each spec with what the nearest `sweep.yaml` above it varies."""
    if path.name == SWEEP_FILE:
        sweep = read_sweep_file(path)
        for key in sweep.search.values():
            message = "is for a search: add --search tpe --trials N"
            raise SpecError([Problem(key.origin.file, key.origin.line, key.key, message)])
        for spec in [sweep.base] if sweep.base else _specs(path.parent):
            yield spec, sweep.grid
    elif path.is_dir():
        file = path / SWEEP_FILE
        if file.is_file():
            inherited = read_sweep_file(file).grid
            yield from _sources(file, {})
        else:
            yield from ((spec, inherited) for spec in _specs(path))
        for folder in sorted(inner for inner in path.iterdir() if inner.is_dir()):
            holds_runs = folder.name == ROOT.parts[0] or folder.name.startswith(".")
            if not (holds_runs or folder.is_symlink()):  # a link could lead back up
                yield from _sources(folder, inherited)
    else:
        yield path, inherited


def _specs(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.yaml")) if path.name != SWEEP_FILE]


def _trials(
    source: Path, grid: Mapping[str, SweptKey], settings: tuple[str, ...], problems: list[Problem]
) -> Iterator[Trial]:
    """Yield the trials of one spec; what is wrong with one joins `problems`."""
    base, origins = load_with_origins(source, settings)
    # the file is read once, and each override made once for all trials that share it
    tree = Document(base.model_dump(mode="json", exclude_unset=True), origins)
    for document, swept in _combined(tree, {}, list(grid.values())):
        if len(problems) > MAX_PROBLEMS:
            return
        try:
            spec = _validated(
                document, source, [*settings, *(as_setting(*item) for item in swept.items())]
            )
        except SpecError as error:
            problems += [_at_its_origin(problem, grid) for problem in error.problems]
            continue
        named = spec.model_copy(update={"name": variant_name(base.name, swept)})
        yield Trial(named, specs.sha256(named), source, swept, settings)


def _combined(
    document: Document, swept: dict[str, Any], grid: Sequence[SweptKey]
) -> Iterator[tuple[Document, dict[str, Any]]]:
    if not grid:
        yield document, swept
        return
    first, *rest = grid
    for value in first.values:
        setting = as_setting(first.key, value)
        yield from _combined(override(document, setting), {**swept, first.key: value}, rest)


def _validated(document: Document, source: Path, settings: Sequence[str]) -> Spec:
    if not document.problems:
        try:
            return Spec.model_validate(document.value)
        except ValidationError:
            pass  # loading the file says it better, with lines
    return specs.load_spec(source, settings)


def _at_its_origin(problem: Problem, grid: Mapping[str, SweptKey]) -> Problem:
    """Return `problem` where the user wrote the value: in the `sweep.yaml`, or after -g."""
    key = problem.file.removeprefix("-s ").partition("=")[0]
    if problem.line is not None or key not in grid:
        return problem
    origin = grid[key].origin
    return replace(problem, file=origin.file, line=origin.line)
