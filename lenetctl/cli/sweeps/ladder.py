"""How `lenetctl ladder` goes: the mixtures of two specs, their runs, what each change gains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lenetctl.analysis.comparison import ranking_metric
from lenetctl.analysis.effects.ladder import Rung, contributions, total
from lenetctl.analysis.groups import ComparedRun, Group
from lenetctl.cli.sweeps.run_sweep import SweepOptions, expected_time, go_through, group_of, look_up
from lenetctl.cli.views.effects import ladder as formats
from lenetctl.cli.views.sweep import SweepView, print_plan
from lenetctl.errors import UsageError
from lenetctl.sweeps.ladder import Ladder, Mixture, Way
from lenetctl.sweeps.plan import SweepPlan
from lenetctl.sweeps.trial import Trial
from lenetctl.training.metrics import lowest_is_best


@dataclass(frozen=True)
class Outputs:
    """What is made of the result."""

    metric: str | None  # None: as `compare` ranks
    plot: Path | None
    as_csv: bool


def climb(
    ladder: Ladder, seeds: Sequence[int], orders: int, outputs: Outputs, options: SweepOptions
) -> None:
    """Run every mixture on the ways of a ladder with every seed, and say what each change gains."""
    ways = ladder.ways(orders)
    mixtures = dict.fromkeys(mixture for way in ways for mixture in way)
    trials = {
        mixture: [ladder.trial(mixture, seed) for seed in seeds]
        for mixture in mixtures
        if mixture not in ladder.impossible
    }
    plan = SweepPlan(ladder.name, [trial for own in trials.values() for trial in own], [])
    view = SweepView(plan.name, plan.trials, options.console)
    goes_on = look_up(view, force=False)
    told = _cost(ladder, len(trials), view)
    for mixture, reason in ladder.impossible.items():
        options.console.say(f"{formats.named(mixture)}: impossible, so not run: {reason}")
    if options.dry_run:
        if not options.console.as_json:
            print_plan(plan, view, goes_on, options.console.rich)
        impossible = formats.impossible_document(ladder)
        options.console.result(view.document() | impossible | {"plan": told}, told)
        return
    options.console.say(told)
    left = [row.trial for row in view.rows.values() if row.status == "planned"]

    def conclude() -> None:
        _conclude(ladder, ways, trials, view, outputs, options)

    datasets = {trial.spec.data.dataset for trial in left}
    go_through([left], datasets, view, view.on_event, options, conclude)


def _conclude(
    ladder: Ladder,
    ways: Sequence[Way],
    trials: Mapping[Mixture, Sequence[Trial]],
    view: SweepView,
    outputs: Outputs,
    options: SweepOptions,
) -> None:
    """Print what each change gains, and draw it; without BASE or BEST there is nothing to say.

    Raises:
        UsageError: BASE or BEST does not have the metric.

    """
    groups = {mixture: group for mixture, own in trials.items() if (group := group_of(own, view))}
    for mixture in (frozenset[str](), ladder.all_changes):
        if mixture not in groups:
            options.console.warn(f"no run of {trials[mixture][0].spec.name} has a result")
            options.console.result(view.document(), view.said())
            return
    metric = outputs.metric or ranking_metric(_runs(groups))
    rungs = {
        mixture: rung
        for mixture, group in groups.items()
        if (rung := Rung.of(group, metric)).scores
    }
    if not {frozenset(), ladder.all_changes} <= rungs.keys():
        there = ", ".join(sorted({key for run in _runs(groups) for key in run.scores}))
        raise UsageError(f"--metric {metric}: BASE or BEST has none (there are {there})")
    lowest = lowest_is_best(metric)
    shown = formats.Climbed(
        ladder,
        metric,
        rungs,
        contributions(ways, rungs, lowest=lowest),
        total(rungs[frozenset()], rungs[ladder.all_changes], lowest=lowest),
        len(ways),
    )
    if outputs.plot:
        from lenetctl.artifacts import draw_ladder

        draw_ladder(formats.waterfall_parts(shown), outputs.plot)
        options.console.say(f"{outputs.plot} drawn")
    if options.console.as_json:
        options.console.result(view.document() | formats.ladder_document(shown), "")
    elif outputs.as_csv:
        print(formats.ladder_csv(shown), end="")  # noqa: T201  no rich marks in a CSV
    else:
        formats.print_ladder(shown, options.console)


def _runs(groups: Mapping[Mixture, Group]) -> list[ComparedRun]:
    return [run for group in groups.values() for run in group.runs.values()]


def _cost(ladder: Ladder, mixtures: int, view: SweepView) -> str:
    """Return the plan, and what it may cost, in words."""
    done = [row.run for row in view.rows.values() if row.run]
    runs = len(view.rows)
    told = (
        f"{len(ladder.changes)} changes from {ladder.base.name} to {ladder.best.name}, "
        f"{mixtures} mixtures; {runs} runs, {len(done)} of them done"
    )
    return "; ".join(filter(None, [told, expected_time(done, runs - len(done))]))
