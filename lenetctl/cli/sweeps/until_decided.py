"""`lenetctl sweep --until decided`: seeds are added where a verdict is open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lenetctl.analysis.comparison import ranking_metric
from lenetctl.analysis.sequential import StoppingRule
from lenetctl.cli.sweeps.run_sweep import SweepOptions, expected_time, go_through, group_of
from lenetctl.cli.views.sweep import SweepView
from lenetctl.errors import UsageError
from lenetctl.runs.store import RunStore
from lenetctl.specs.yaml import Origin
from lenetctl.sweeps.grid import SEED, SweptKey
from lenetctl.sweeps.plan import plan_sweep
from lenetctl.sweeps.trial import Trial, latest_finished
from lenetctl.training.metrics import lowest_is_best

Rows = dict[str, list[Trial]]  # by the name of the spec, its trials by seed


def sweep_until_decided(
    path: Path,
    axes: Mapping[str, SweptKey],
    settings: Sequence[str],
    wanted: tuple[str, float, int],
    options: SweepOptions,
) -> None:
    """Run the specs of a sweep with ever more seeds, each until it is decided.

    `wanted`: the name of the control, the margin of equivalence, and the most seeds.

    Raises:
        UsageError: there is no such control, or nothing beside it.

    """
    control, margin, most = wanted
    seeds = SweptKey(SEED, list(range(most)), Origin("--max-seeds"))
    planned = plan_sweep(path, {**axes, SEED: seeds}, settings)
    rows = _rows(planned.trials)
    if control not in rows or len(rows) == 1:
        raise UsageError(f"--control {control}: one of several is needed; here: {', '.join(rows)}")
    rule = StoppingRule(len(rows) - 1, margin, most)
    told = _cost(rows, rule)
    view = SweepView(planned.name, (), options.console)
    if options.dry_run:
        document = {"looks": rule.looks, "rows": list(rows), "control": control, "plan": told}
        options.console.result(view.document() | document, told)
        return
    options.console.say(told)
    batches = (view.joined(batch) for batch in _looks(rows, control, rule, view))
    datasets = {trial.spec.data.dataset for trial in planned.trials}
    go_through(batches, datasets, view, view.on_event, options)


def _looks(rows: Rows, control: str, rule: StoppingRule, view: SweepView) -> Iterator[list[Trial]]:
    """Yield the trials of each look; when they are done, decide what can be decided."""
    undecided = [name for name in rows if name != control]
    done = 0
    for seeds in rule.looks:
        yield [trial for name in (control, *undecided) for trial in rows[name][done:seeds]]
        done = seeds
        groups = {name: group_of(rows[name][:seeds], view) for name in (control, *undecided)}
        theirs = groups[control]
        if theirs is None:
            continue
        metric = ranking_metric(
            [run for one in groups.values() if one for run in one.runs.values()]
        )
        told = {name: one for name in undecided if (one := groups[name])}
        samples = [one.sample(metric) for one in told.values()]
        verdicts = rule.decide(samples, theirs.sample(metric), lowest=lowest_is_best(metric))
        for name, verdict in zip(told, verdicts, strict=True):
            if verdict or seeds == rule.looks[-1]:
                said = verdict or "undecided"
                view.verdicts[name] = {"verdict": said, "seeds": seeds, "metric": metric}
                view.console.say(f"{name}: {said} after {seeds} seeds")
                undecided.remove(name)
        if not undecided:
            return


def _rows(trials: Sequence[Trial]) -> Rows:
    """Return the trials by the names of their specs.

    Raises:
        UsageError: two specs share a name.

    """
    rows: Rows = {}
    for trial in trials:
        rows.setdefault(trial.spec.name, []).append(trial)
    for name, own in rows.items():
        if len({trial.spec.training.seed for trial in own}) < len(own):
            raise UsageError(f"--until decided: two specs are called {name}; give one another name")
    return rows


def _cost(rows: Rows, rule: StoppingRule) -> str:
    """Return the plan, and what it may cost, in words."""
    known = RunStore().by_spec()
    done = [
        run
        for trials in rows.values()
        for trial in trials
        if (run := latest_finished(known.get(trial.sha256, [])))
    ]
    least, most = len(rows) * rule.looks[0], len(rows) * rule.looks[-1]
    looks = ", ".join(map(str, rule.looks))
    told = (
        f"{len(rows)} specs, looked at after {looks} seeds; {least} to {most} runs, "
        f"{len(done)} of them done; equivalent: within {rule.margin:g}"
    )
    return "; ".join(filter(None, [told, expected_time(done, most - len(done))]))
