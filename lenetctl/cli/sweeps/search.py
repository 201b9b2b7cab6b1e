"""`lenetctl sweep --search`: the trials that Optuna asks for, and the winner with fresh seeds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lenetctl.cli.publishing import log_search
from lenetctl.cli.sweeps.run_sweep import SweepOptions, go_through, group_of, rank
from lenetctl.cli.views.comparison import spread, summary_document
from lenetctl.cli.views.sweep import SweepView
from lenetctl.errors import UsageError
from lenetctl.specs.layers import net_size
from lenetctl.sweeps.events import Decision, TrialEvent
from lenetctl.sweeps.grid import SweptKey
from lenetctl.sweeps.search import PrunerName, SamplerName
from lenetctl.sweeps.search.database import named_database, trials_done
from lenetctl.sweeps.search.definition import Search
from lenetctl.sweeps.search.study import Study, open_study
from lenetctl.sweeps.trial import Trial
from lenetctl.tracking.uri import store_folder
from lenetctl.training.metrics import TEST_ACCURACY, VALIDATION_ACCURACY

TOGETHER = 10  # trials of a fleet that TPE asks for at a time: as many as it draws at random first


@dataclass(frozen=True)
class SearchOptions:
    """What is asked of a search beside its space."""

    trials: int
    sampler: SamplerName
    pruner: PrunerName
    seeds_per_trial: int
    confirm: int  # fresh seeds for the winner
    storage: str | None  # URI of the studies' database


def search_for(
    path: Path,
    grid: Mapping[str, SweptKey],
    settings: Sequence[str],
    wanted: SearchOptions,
    options: SweepOptions,
) -> None:
    """Search what `path` and `grid` leave open until there were so many trials in all.

    Raises:
        UsageError: the options do not go together.

    """
    if options.force:
        raise UsageError("--force: a search repeats nothing; change the spec or the space")
    if wanted.seeds_per_trial > 1 and wanted.pruner != PrunerName.none:
        raise UsageError("--prune judges single runs: leave it out with --seeds-per-trial")
    search = Search.of(path, grid, settings, wanted.trials, wanted.seeds_per_trial)
    default = store_folder(options.tracking_uri) / "optuna.db"
    database = named_database(wanted.storage) if wanted.storage else default
    if options.dry_run:
        left = max(0, wanted.trials - trials_done(search.identity, database))
        document = {"sweep": search.name, "trials": [], "counts": {"planned": left}}
        options.console.result(document, _how_far(search, left))
        return
    with open_study(search, database, wanted.sampler, wanted.pruner) as study:
        options.console.say(_how_far(search, study.left))
        view = SweepView(search.name, (), options.console)
        confirmed: list[Trial] = []

        def batches() -> Iterator[Iterable[Trial]]:
            yield from _batches(study, wanted, options)
            if (best := study.best) is not None:
                confirmed.extend(search.fresh_runs(best, wanted.confirm))
                yield confirmed

        def listener(event: TrialEvent) -> Decision:
            view.on_event(event)
            return study.on_event(event)

        def conclude() -> None:
            found = study.accuracies
            if repeats := len(found) - len({trial.sha256 for trial, _ in found}):
                told = f"{repeats} of {len(found)} trials with a result repeated an earlier one"
                options.console.say(f"{told}: nothing was trained for them")
            result = _confirmed(study, confirmed, view)
            rank(view, options.console, leave_out=confirmed, also=result)
            runs = [row.run for row in view.rows.values() if row.run]
            if runs and found:
                log_search(study.optuna, _sizes(found), runs, options.tracking_uri, options.console)

        left = study.left or wanted.confirm
        datasets = {search.trial({}).spec.data.dataset} if left else set()
        joined = (view.joined(batch) for batch in batches())
        go_through(joined, datasets, view, listener, options, conclude)


def _how_far(search: Search, left: int) -> str:
    space = "; ".join(map(str, search.space))
    return f"{search.name}: {search.trials - left} of {search.trials} trials done; {space}"


def _batches(
    study: Study, wanted: SearchOptions, options: SweepOptions
) -> Iterator[Iterable[Trial]]:
    """Yield the runs of the search: one by one as there is room, or as much as a fleet may hold."""
    if not options.in_fleets:
        yield study
    elif wanted.sampler == SamplerName.random:  # learns nothing from trial to trial
        yield from study.batches(wanted.trials)
    else:
        asked = options.executor_options.get("fleet", options.jobs)
        models = asked or TOGETHER * wanted.seeds_per_trial
        yield from study.batches(max(1, models // wanted.seeds_per_trial))


def _confirmed(study: Study, runs: Sequence[Trial], view: SweepView) -> dict[str, Any]:
    """Say how the winner does with seeds that the search has not seen; return it as a document."""
    best = study.best
    if best is None:
        return {"confirmed": None}
    winner, found = study.search.trial(best), study.optuna.best_value
    view.console.say(
        f"the best of the search: {winner.spec.name}, {VALIDATION_ACCURACY} {found:.4f}, "
        f"which flatters it: {winner.command}"
    )
    document: dict[str, Any] = {
        "name": winner.spec.name,
        "overrides": best,
        "searched": found,
        "seeds": [trial.spec.training.seed for trial in runs],
    }
    group = group_of(runs, view) if runs else None
    if group:
        told = {name: group.summary(name) for name in (VALIDATION_ACCURACY, TEST_ACCURACY)}
        document |= {name: summary_document(summary) for name, summary in told.items()}
        words = ", ".join(f"{name} {spread(summary)}" for name, summary in told.items())
        seeds = ", ".join(map(str, document["seeds"]))
        view.console.say(f"confirmed with seeds {seeds}, which no trial had: {words}")
    return {"confirmed": document}


def _sizes(found: Iterable[tuple[Trial, float]]) -> list[tuple[int, int, float]]:
    """Return parameters, multiply-accumulates and accuracy of each trial."""
    return [(*net_size(trial.spec.model), accuracy) for trial, accuracy in found]
