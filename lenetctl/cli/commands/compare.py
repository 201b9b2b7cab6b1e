"""`lenetctl compare`: which variant is better, over seeds, and whether that means something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded
from lenetctl.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from lenetctl.analysis.comparison import Group, Row
    from lenetctl.runs.folder import Run
    from lenetctl.runs.records import Status

CONTROL = "baseline"


@guarded
def compare(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="RUN|PATH", help="Runs, or what `sweep` takes; default: all runs."),
    ] = None,
    experiment: Annotated[
        str | None, typer.Option("--experiment", help="The finished runs of an experiment.")
    ] = None,
    metric: Annotated[
        str, typer.Option("--metric", help="Such as validation/accuracy.")
    ] = "test/accuracy",
    group_by: Annotated[
        str | None,
        typer.Option("--group-by", metavar="KEY", help="Group by a key: model.pool.kind."),
    ] = None,
    control: Annotated[
        str | None,
        typer.Option("--control", metavar="GROUP", help=f"Default: {CONTROL}, where there is one."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="FILE",
            help="Draw the curves to FILE.png or FILE.svg, where the metric was measured every "
            "epoch, and the ranking to FILE-ranked.",
        ),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="A line a group.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="A table for a report.")] = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare finished runs, all or some, grouped over seeds; of repeated runs the newest counts.

    Each group's difference to the control comes with a 95 % confidence interval.
    """
    from lenetctl.analysis import comparison as numbers
    from lenetctl.cli.console import Screen
    from lenetctl.cli.views import comparison as formats
    from lenetctl.cli.views.comparison_table import print_table

    if as_csv + as_markdown + as_json > 1:
        raise UsageError("--csv, --markdown and --json: choose one")
    screen = Screen(as_json=as_json, quiet=quiet)
    trials = [numbers.ComparedRun.of(run) for run in _chosen(runs, experiment, screen.warn)]
    groups = numbers.group_runs(numbers.having(trials, metric), group_by)
    against = _control(groups, control)
    rows = numbers.compare_groups(groups, metric, against)
    if plot:
        for file in _draw(rows, metric, plot):
            typer.echo(f"{file} drawn", err=True)
    shown = formats.Comparison(metric, rows, against, group_by or "group")
    if as_json:
        screen.result(formats.comparison_document(shown), "")
    elif as_csv:
        typer.echo(formats.comparison_csv(shown), nl=False)
    elif as_markdown:
        typer.echo(formats.comparison_markdown(shown))
    else:
        print_table(shown, quiet=quiet)


def _chosen(
    names: list[str] | None, experiment: str | None, warn: Callable[[str], None]
) -> list[Run]:
    """Return the finished runs that are meant, the oldest first.

    Raises:
        NotFoundError: there are none, or one that is named did not finish.

    """
    from lenetctl.runs.store import RunStore, oldest_first

    if names and experiment:
        raise UsageError("name runs or an --experiment, not both")
    if names:
        named = {run for name in names for run in _named(name, warn)}
        return oldest_first(named)
    runs = RunStore().all()
    meant = [run for run in runs if experiment in (None, run.record.experiment)]
    finished = [run for run in meant if run.is_finished]
    if not finished:
        raise NotFoundError(_nothing(experiment, meant, runs))
    done = {run.record.spec_sha256 for run in finished}
    lost = Counter(run.status.state for run in meant if run.record.spec_sha256 not in done)
    if lost:
        warn(f"left out, for they did not finish: {_counted(lost)}")
    return finished


def _named(name: str, warn: Callable[[str], None]) -> list[Run]:
    """Return the run that `name` names, or those of the sweep that it is the path of.

    Raises:
        NotFoundError: there is none, or it did not finish.

    """
    from lenetctl.runs.store import RunStore

    path = Path(name)
    specs = path.is_dir() and not (path / "run.json").exists() and any(path.rglob("*.yaml"))
    if specs or path.suffix in (".yaml", ".yml"):
        return _of_sweep(path, warn)
    run = RunStore().find(name)
    if not run.is_finished:
        raise NotFoundError(f"{run.path.name} has no result: it is {run.status.state}")
    return [run]


def _of_sweep(path: Path, warn: Callable[[str], None]) -> list[Run]:
    """Return the finished runs of a sweep, of whichever experiment they are."""
    from lenetctl.runs.store import RunStore
    from lenetctl.sweeps.plan import plan_sweep
    from lenetctl.sweeps.trial import latest_finished

    known, trials = RunStore().by_spec(), plan_sweep(path).trials
    done = [run for trial in trials if (run := latest_finished(known.get(trial.sha256, [])))]
    if not done:
        raise NotFoundError(f"{path}: none of its runs has finished; lenetctl sweep {path}")
    if left := len(trials) - len(done):
        warn(f"left out, for they did not finish: {left} of the {len(trials)} runs of {path}")
    return done


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


def _control(groups: list[Group], wanted: str | None) -> Group | None:
    """Return the group that the others are measured against.

    Raises:
        UsageError: no group has the name that is wanted.

    """
    found = next((group for group in groups if group.name == (wanted or CONTROL)), None)
    if wanted and not found:
        there = ", ".join(group.name for group in groups)
        raise UsageError(f"--control {wanted}: no such group (there are {there})")
    return found


def _draw(rows: list[Row], metric: str, file: Path) -> list[Path]:
    """Draw the curves, where there are any, and the ranking; return the files."""
    from lenetctl.figures.comparison import bands, ranked
    from lenetctl.figures.style import save

    ranking = file.with_stem(f"{file.stem}-ranked")
    save(ranked([(row.group.name, row.values) for row in rows], metric), ranking)
    epochs = {
        row.group.name: [trial.run.epochs() for trial in row.group.trials.values()] for row in rows
    }
    if not any(metric in line for runs in epochs.values() for run in runs for line in run):
        return [ranking]
    save(bands(epochs, metric), file)
    return [file, ranking]
