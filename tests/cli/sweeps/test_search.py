"""Searches from the first trial to the winner's confirmation, on the digits."""

from dataclasses import fields
from pathlib import Path
from statistics import fmean
from types import SimpleNamespace

import pytest
from mlflow import MlflowClient

from lenetctl.cli.sweeps.run_sweep import SweepOptions
from lenetctl.cli.sweeps.search import SearchOptions, _batches
from lenetctl.runs.folder import Run

SPEC = """\
data: {dataset: digits, limit: 500, validation: 100, batch_size: 20}
model: {conv: [{channels: 6, kernel: 5, stride: 2}], dense: [32], activation: relu}
training: {epochs: 2, optimizer: {kind: sgd, lr: 0.1}}
"""
SPACE = (
    *("-g", "training.optimizer.lr={low: 0.02, high: 0.4, log: true}"),
    *("-g", "model.pool.kind=avg,max"),
    *("-g", "model.conv.0.channels={low: 4, high: 8}"),
)
SEARCH = ("sweep", "quick.yaml", "--device", "cpu", "--json", *SPACE)


def best(trial, metric="validation/accuracy"):
    """What counts of a run: the metric of its best epoch."""
    return Run(Path(trial["folder"])).result.best[metric]


def test_thirty_trials_and_a_winner_confirmed_with_seeds_that_none_of_them_had(
    lenetctl, write, tracking_uri
):
    write(SPEC)
    search = (*SEARCH, "--search", "tpe", "--trials", 30, "--experiment", "thirty")
    result = lenetctl(*search)
    assert result.code == 0, result.err
    document = result.json
    confirmed = document["confirmed"]
    assert confirmed["seeds"] == [1, 2, 3]
    trials = [trial for trial in document["trials"] if "training.seed" in trial["overrides"]]
    searched = [trial for trial in trials if trial["overrides"]["training.seed"] == 0]
    fresh = [trial for trial in trials if trial["overrides"]["training.seed"] in (1, 2, 3)]
    assert len(searched) <= 30  # some values may come twice
    assert len(searched) + len(fresh) == len(document["trials"])
    # chosen by validation alone, and what is told of it is what the fresh seeds say
    assert confirmed["searched"] == pytest.approx(max(map(best, searched)))
    keys = confirmed["overrides"]
    assert all({key: trial["overrides"][key] for key in keys} == keys for trial in fresh)
    for metric in ("validation/accuracy", "test/accuracy"):
        values = [best(trial, metric) for trial in fresh]
        assert confirmed[metric]["mean"] == pytest.approx(fmean(values))
    assert sum(row["n"] for row in document["leaderboard"]["rows"]) == len(searched)

    client = MlflowClient(tracking_uri)
    experiment = client.get_experiment_by_name("thirty").experiment_id
    (parent,) = client.search_runs([experiment], "tags.`lenetctl.sweep_parent` = 'quick'")
    assert {file.path for file in client.list_artifacts(parent.info.run_id)} == {
        *("search-history.png", "search-importances.png", "search-slices.png"),
        *("search-parallel-coordinates.png", "search-trade-off.png"),
    }
    again = lenetctl(*search).json
    assert again["counts"] == {"skipped": 3}
    assert again["confirmed"] == confirmed


def test_trials_that_repeat_what_is_known_are_told(lenetctl, write):
    write(SPEC)
    space = ("-g", "model.pool.kind=avg,max", "-s", "data.limit=510")
    found = lenetctl(*SEARCH[:5], *space, "--search", "random", "--trials", 4, "--confirm", 0)
    assert found.code == 0, found.err
    trained = found.json["counts"]["finished"]
    assert trained <= 2
    assert f"{4 - trained} of 4 trials with a result repeated an earlier one" in found.err


def test_a_dry_run_writes_nothing(lenetctl, write, own_store, tmp_path):
    write(SPEC)
    before = set(tmp_path.rglob("*"))
    planned = lenetctl(*SEARCH, "--search", "tpe", "--trials", 3, "--dry-run")
    assert planned.json["counts"] == {"planned": 3}
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("executor", "extra", "jobs", "asked"),
    [
        ("ray", {}, 8, []),  # one by one
        ("ray", {"fleet": 6}, 8, [3]),
        ("fleet", {}, 8, [4]),
        ("fleet", {}, None, [10]),
    ],
)
def test_as_many_trials_are_asked_for_as_a_fleet_holds(executor, extra, jobs, asked):
    def batches(size):
        sizes.append(size)
        return ()

    sizes, others = [], dict.fromkeys(field.name for field in fields(SweepOptions))
    chosen = {"executor": executor, "executor_options": extra, "jobs": jobs}
    wanted = SearchOptions(4, "tpe", "none", seeds_per_trial=2, confirm=0, storage=None)
    list(_batches(SimpleNamespace(batches=batches), wanted, SweepOptions(**others | chosen)))
    assert sizes == asked


@pytest.mark.parametrize(("sampler", "batches"), [("random", 1), ("tpe", 2)])
def test_the_trials_of_a_fleet_are_asked_for_together(
    lenetctl, write, monkeypatch, sampler, batches
):
    from lenetctl.sweeps.executors.fleet import FleetExecutor

    sizes = []
    run = FleetExecutor.run

    def counted(self, trials, listener):
        trials = [*trials]
        sizes.append(len(trials))
        run(self, trials, listener)

    monkeypatch.setattr(FleetExecutor, "run", counted)
    write(SPEC)
    own = ("-s", f"data.limit={500 + batches}")  # the store is that of all tests, and so the study
    how = (*own, "--executor", "fleet", "--jobs", 4, "--seeds-per-trial", 2, "--confirm", 1)
    found = lenetctl(*SEARCH[:-2], *how, "--search", sampler, "--trials", 4)
    assert found.code == 0, found.err
    assert sizes == [8 // batches] * batches + [1]
    assert found.json["counts"] == {"finished": 9}
    assert found.json["confirmed"]["seeds"] == [2]
    values = {}
    for trial in found.json["trials"][:8]:
        key = str(trial["overrides"]["training.optimizer.lr"])
        values.setdefault(key, []).append(best(trial))
    assert found.json["confirmed"]["searched"] == pytest.approx(max(map(fmean, values.values())))
