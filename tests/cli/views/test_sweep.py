import sys

import pytest
from helpers.terminal import LINES, Terminal

SPEC = "data: {dataset: digits}\ntraining: {epochs: 10}\n"
SHOWN = """
import json, sys, time
from pathlib import Path
from lenetctl.cli.console import Console
from lenetctl.cli.views.sweep import SweepView
from lenetctl.runs.folder import Run
from lenetctl.specs.yaml import Origin
from lenetctl.sweeps.events import TrialEvent
from lenetctl.sweeps.grid import SweptKey
from lenetctl.sweeps.plan import plan_sweep

rates = SweptKey("training.optimizer.lr", [n / 100 for n in range(1, 41)], Origin("-g"))
plan = plan_sweep(Path("a-spec-with-a-name-of-its-own-that-is-long.yaml"), {rates.key: rates})
view = SweepView(plan.name, plan.trials, Console())
first, second, third, *_ = [trial.sha256 for trial in plan.trials]

def epoch(sha256, number):
    run = Run(Path(sha256))
    run.path.mkdir(exist_ok=True)
    run.append_epoch({"epoch": number, "test/accuracy": 0.5, "epoch_seconds": 0.1})
    view.on_event(TrialEvent(sha256, "epoch_end", run))

with view:
    for sha256 in (first, second, third):
        view.on_event(TrialEvent(sha256, "started"))
    for number in range(1, 6):
        time.sleep(0.1)
        epoch(first, number)
        epoch(second, number)
    view.on_event(TrialEvent(second, "warning", message="the loss is odd"))
    time.sleep(0.5)
    view.on_event(TrialEvent(third, "failed", message="a reason " + "of many words " * 8 + "END"))
    time.sleep(0.5)
print(view.said())
"""


@pytest.fixture(scope="module", params=[60, 120])
def sweep(request, tmp_path_factory):
    """What a terminal shows of a sweep at its end, and each time that it changes."""
    folder, during = tmp_path_factory.mktemp("sweep"), []
    (folder / "a-spec-with-a-name-of-its-own-that-is-long.yaml").write_text(SPEC)
    terminal = Terminal(
        [sys.executable, "-c", SHOWN],
        request.param,
        seen=lambda now: during.append(now.shown),
        folder=folder,
    )
    assert terminal.code == 0, "\n".join(terminal.shown)
    return terminal, during


def test_warnings_and_reasons_outlive_the_table(sweep):
    terminal, _ = sweep
    text = "".join("".join(terminal.shown).split())  # lines are broken where the terminal ends
    assert "lr=0.02-s0:thelossisodd" in text
    assert "lr=0.03-s0:failed:areasonofmanywords" in text
    assert "END" in text
    assert "state" not in text, "a table that nobody draws any more"


def counts_and_names_all(shown):
    """Whether a table is there, whole: what is read while it is drawn can be the half of one."""
    top = next((number for number, line in enumerate(shown) if "state" in line.split()), None)
    if top is None:
        return False
    table = shown[top:]
    text = " ".join(" ".join(table).split())
    planned = [line for line in table if "planned" in line and "0/10" in line]
    at_work = [line for line in table if "running" in line and "5/10" in line and "0.5000" in line]
    return (
        len(table) < LINES
        and all(any(name in line for line in at_work) for name in ("lr=0.01-s0", "lr=0.02-s0"))
        and any(line.startswith(f"{40 - 3 - len(planned)} more") for line in table)
        and "2 running, 1 failed, 37 planned; about " in text
        and " left" in text.partition("about ")[2]
    )


def test_a_table_keeps_the_end_of_names_and_counts_what_it_leaves_out(sweep):
    _, during = sweep
    assert any(counts_and_names_all(shown) for shown in during)
