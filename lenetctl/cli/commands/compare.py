"""`lenetctl compare`: which variant is better, over seeds, and whether that means something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lenetctl.analysis import CONTROL
from lenetctl.cli import options
from lenetctl.cli.errors import guarded
from lenetctl.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from lenetctl.analysis.comparison import Comparison
    from lenetctl.runs.folder import Run
    from lenetctl.runs.records import Status


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
        str | None,
        typer.Option(
            "--metric",
            help="Default: validation/accuracy where every run held images out, "
            "else test/accuracy.",
        ),
    ] = None,
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

    A run counts with its best epoch where a validation split chose that one, else with its last.
    Each group's difference to the control comes with a 95 % confidence interval.
    """
    from lenetctl.analysis.comparison import compare_runs
    from lenetctl.cli.console import Console
    from lenetctl.cli.views import comparison as formats
    from lenetctl.cli.views.comparison_table import print_table

    if as_csv + as_markdown + as_json > 1:
        raise UsageError("--csv, --markdown and --json: choose one")
    console = Console(as_json=as_json, quiet=quiet)
    shown = compare_runs(_chosen(runs, experiment, console.warn), metric, group_by, control)
    if plot:
        for file in _draw(shown, plot):
            typer.echo(f"{file} drawn", err=True)
    if as_json:
        console.result(formats.comparison_document(shown), "")
    elif as_csv:
        typer.echo(formats.comparison_csv(shown), nl=False)
    elif as_markdown:
        typer.echo(formats.comparison_markdown(shown))
    else:
        print_table(shown, quiet=quiet)


def _chosen(
    names: list[str] | None, experiment: str | None, warn: Callable[[str], None]
) -> dict[Run, str | None]:
    """Return the runs that are meant, with what a sweep that is named calls their specs.

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
    lost = Counter(run.status.state for run in meant if run.record.spec_sha256 not in done)
    if lost:
        warn(f"left out, for they did not finish: {_counted(lost)}")
    return dict.fromkeys(finished)


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
    """Return the finished runs of a sweep, of whichever experiment, and the names of its specs."""
    from lenetctl.runs.store import RunStore
    from lenetctl.sweeps.plan import plan_sweep
    from lenetctl.sweeps.trial import latest_finished

    known, trials = RunStore().by_spec(), plan_sweep(path).trials
    done = {
        run: trial.spec.name
        for trial in trials
        if (run := latest_finished(known.get(trial.sha256, [])))
    }
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


def _draw(shown: Comparison, file: Path) -> list[Path]:
    """Draw the ranking, and the learning curves where there are any; return the files."""
    from lenetctl.figures.comparison import bands, ranked
    from lenetctl.figures.style import save

    ranking = file.with_stem(f"{file.stem}-ranked")
    save(ranked(shown.ranking, shown.metric), ranking)
    if not shown.curves:
        return [ranking]
    save(bands(shown.curves, shown.metric), file)
    return [file, ranking]
