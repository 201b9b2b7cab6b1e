"""`lenetctl sweep --search`: the trials that Optuna asks for."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lenetctl.cli.run_sweep import SweepOptions, go_through
from lenetctl.cli.views.sweep import SweepView
from lenetctl.errors import UsageError
from lenetctl.sweeps.events import Decision, TrialEvent
from lenetctl.sweeps.grid import SweptKey
from lenetctl.sweeps.search import PrunerName, SamplerName
from lenetctl.sweeps.search.definition import Search
from lenetctl.sweeps.search.study import open_study
from lenetctl.tracking.uri import store_folder


def search_for(
    path: Path,
    grid: Mapping[str, SweptKey],
    settings: Sequence[str],
    trials: int,
    sampler: SamplerName,
    pruner: PrunerName,
    options: SweepOptions,
) -> None:
    """Search what `path` and `grid` leave open until `trials` are done in all."""
    if options.force:
        raise UsageError("--force: a search repeats nothing; change the spec or the space")
    if options.executor == "fleet":
        raise UsageError("--executor fleet: a search learns from trial to trial; use processes")
    search = Search.of(path, grid, settings, trials)
    database = store_folder(options.tracking_uri) / "optuna.db"
    with open_study(search, database, sampler, pruner) as study:
        space = "; ".join(map(str, search.space))
        said = f"{search.name}: {trials - study.left} of {trials} trials done; {space}"
        if options.dry_run:
            document = {"sweep": search.name, "trials": [], "counts": {"planned": study.left}}
            options.console.result(document, said)
            return
        options.console.say(said)
        view = SweepView(search.name, (), options.console)

        def listener(event: TrialEvent) -> Decision:
            view.on_event(event)
            return study.on_event(event)

        datasets = {search.trial({}).spec.data.dataset} if study.left else set()
        try:
            go_through([view.joined(study)], datasets, view, listener, options)
        finally:
            if best := study.best:
                again = best.command.replace("lenetctl train", "lenetctl sweep", 1)
                options.console.say(f"the best of all, with several seeds: {again} --seeds 0,1,2")
