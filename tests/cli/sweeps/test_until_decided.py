from pathlib import Path

import pytest
from helpers import run_folders

from lenetctl.analysis.sequential import StoppingRule
from lenetctl.cli.console import Console
from lenetctl.cli.errors import UNPUBLISHED
from lenetctl.cli.sweeps.until_decided import _looks
from lenetctl.cli.views.sweep import Row, SweepView
from lenetctl.specs.load import load_spec
from lenetctl.sweeps.trial import Trial

TINY = """\
data: {dataset: digits, limit: 128, batch_size: 64}
model: {conv: [{channels: 3, kernel: 5, stride: 2}], dense: [12]}
training: {epochs: 1, optimizer: {kind: sgd, lr: 0.1}}
"""
UNTIL = ("sweep", "s", "--until", "decided", "--device", "cpu")


@pytest.fixture
def specs(write):
    for name in ("baseline", "other"):
        rate = 0.1 if name == "baseline" else 0.2
        write(TINY.replace("lr: 0.1", f"lr: {rate}"), f"s/{name}.yaml")


def test_the_plan_and_its_cost_come_first(lenetctl, specs):
    result = lenetctl(*UNTIL, "--dry-run", "--json")
    assert result.json["looks"] == [3, 5, 8, 13, 20]
    assert "6 to 40 runs, 0 of them done" in result.json["plan"]
    assert result.json["trials"] == []


def test_seeds_are_added_until_the_most_and_the_same_command_repeats_nothing(lenetctl, specs):
    # a margin that no spread reaches: nothing can be equivalent
    options = (*UNTIL, "--max-seeds", "4", "--margin", "0", "--json")
    first = lenetctl(*options)
    assert first.code in (0, UNPUBLISHED), first.err
    verdict = first.json["verdicts"]["other"]
    assert verdict["metric"] == "test/accuracy"
    runs = {"undecided": 8}.get(verdict["verdict"], 2 * verdict["seeds"])
    assert first.json["counts"] == {"finished": runs}
    again = lenetctl(*options)
    assert again.json["counts"] == {"skipped": runs}
    assert again.json["verdicts"] == first.json["verdicts"]


def test_a_decided_row_gets_no_more_seeds(write):
    clear, unclear = [0.1, 0.101, 0.0995], [0.01, -0.01, 0.005]
    levels = {"baseline": [0, 0, 0], "clear": clear, "unclear": unclear}
    path = write("data: {dataset: digits}\ntraining: {epochs: 2}\n", "baseline.yaml")
    view, rows = SweepView("s", (), Console(quiet=True)), {}
    for name, gains in levels.items():
        rows[name] = []
        for seed in range(5):
            spec = load_spec(path, [f"training.seed={seed}", f"name={name}"])
            trial = Trial(spec, f"{name}{seed}", path, {})
            run = run_folders.run(Path("runs"), name, 0.8 + (gains * 2)[seed], seed=seed)
            view.rows[trial.sha256] = Row(trial, run=run)
            rows[name].append(trial)
    rule = StoppingRule(rows=2, margin=0.005, max_seeds=5)
    batches = [[trial.sha256 for trial in batch] for batch in _looks(rows, "baseline", rule, view)]
    first = [f"{name}{seed}" for name in levels for seed in range(3)]
    assert batches == [first, ["baseline3", "baseline4", "unclear3", "unclear4"]]
    said = {name: (one["verdict"], one["seeds"]) for name, one in view.verdicts.items()}
    assert said == {"clear": ("better", 3), "unclear": ("undecided", 5)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--control", "none"), "--control none: one of several is needed; here: baseline, other"),
        (("--seeds", "0,1"), "--until decided chooses seeds itself"),
        (("--force",), "--until decided chooses seeds itself"),
    ],
)
def test_mistakes(lenetctl, specs, options, message):
    result = lenetctl(*UNTIL, *options)
    assert result.code == 2
    assert message in result.err
