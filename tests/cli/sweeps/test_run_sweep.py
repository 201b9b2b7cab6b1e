from pathlib import Path
from types import SimpleNamespace

import pytest

from lenetctl.artifacts import draw
from lenetctl.cli.errors import UNPUBLISHED
from lenetctl.cli.sweeps import run_sweep
from lenetctl.runs.store import RunStore

TINY = """\
data: {dataset: digits, limit: 128, batch_size: 64}
model: {conv: [{channels: 3, kernel: 5, stride: 2}], dense: [12]}
training: {epochs: 1, optimizer: {kind: sgd, lr: 0.1}}
"""


@pytest.fixture
def sweep(lenetctl, write):
    path = write(TINY)
    return lambda *options: lenetctl("sweep", path, "--device", "cpu", *options)


def test_a_fleet_trains_a_sweep_and_says_what_it_is_for(sweep):
    trials = ("-g", "model.dense=[12],[13]", "--seeds", "0,1", "--jobs", "2")
    result = sweep("--executor", "fleet", *trials, "--json")
    assert result.code in (0, UNPUBLISHED), result.err  # on a busy machine MLflow comes later
    assert result.json["counts"] == {"finished": 4}
    assert "a fleet is for a GPU" in result.err
    assert {run.record.engine for run in RunStore(Path("mlruns/lenetctl")).all()} == {"fleet"}


@pytest.mark.parametrize(
    ("executor", "drawn_by"),
    [("serial", None), ("fleet", None), ("processes", draw), ("ray", draw), ("slurm", draw)],
)
def test_workers_draw_what_they_have_trained(sweep, monkeypatch, executor, drawn_by):
    given = []

    def make(name, settings):
        given.append((name, settings.draw))
        return SimpleNamespace(run=lambda *_: None)

    monkeypatch.setattr(run_sweep, "make_executor", make)
    sweep("--executor", executor)
    assert given == [(executor, drawn_by)]


@pytest.mark.parametrize(
    ("held_out", "metric"), [(0, "test/accuracy"), (50, "validation/accuracy")]
)
def test_a_sweep_ends_with_the_ranking_of_compare(lenetctl, write, held_out, metric):
    for name, rate in (("slow", 0.01), ("quick", 0.5), ("middle", 0.1)):
        text = TINY.replace("lr: 0.1", f"lr: {rate}").replace("epochs: 1", "epochs: 3")
        write(text.replace("limit: 128", f"limit: 128, validation: {held_out}"), f"s/{name}.yaml")
    write("seeds: [0, 1]", "s/sweep.yaml")
    first = lenetctl("train", "s/slow.yaml", "--device", "cpu", "-s", "name=other", "-q")
    assert first.code in (0, UNPUBLISHED), first.err
    ranked = lenetctl("sweep", "s", "--device", "cpu", "--json")
    assert ranked.code in (0, UNPUBLISHED), ranked.err
    assert ranked.json["counts"] == {"finished": 5, "skipped": 1}
    board, compared = ranked.json["leaderboard"], lenetctl("compare", "s", "--json").json
    assert board["metric"] == compared["metric"] == metric
    assert {row["name"] for row in board["rows"]} == {"slow", "quick", "middle"}
    for ours, theirs in zip(board["rows"], compared["rows"], strict=True):
        assert (ours["name"], ours["n"]) == (theirs["group"], theirs["n"])
        assert ours[metric] == {"mean": theirs["mean"], "std": theirs["std"]}
        assert ours["test/accuracy"] == theirs.get("test/accuracy", ours[metric])


def test_an_interrupt_while_mlflow_is_waited_for_comes_after_the_ranking(sweep, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("lenetctl.tracking.writer.Writer.close", interrupted)
    result = sweep("--seeds", "0,1")
    assert result.code == 130
    assert "ranked by test accuracy" in result.out
    assert "2 finished" in result.out
    assert "`lenetctl sync` publishes the rest" in result.err
