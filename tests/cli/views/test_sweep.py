import re
import sys

import pytest
from helpers.terminal import LINES, Terminal

from lenetctl.cli.views.sweep_table import AROUND

SPEC = "data: {dataset: digits}\ntraining: {epochs: 10}\n"
SHOWN = """
import json, os, sys, time
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
    if "stay" in sys.argv:
        with view._shown._lock:  # not the console's: the thread that draws takes that one second
            view._shown.refresh()
            os._exit(0)  # what the terminal shows at this moment stays on it
print(view.said())
"""


@pytest.fixture(params=[60, 120])
def show(request, tmp_path):
    """Show a sweep in a terminal, up to its end or, with `stay`, to its midst; return the lines."""
    (tmp_path / "a-spec-with-a-name-of-its-own-that-is-long.yaml").write_text(SPEC)

    def run(*arguments):
        command = [sys.executable, "-c", SHOWN, *arguments]
        terminal = Terminal(command, request.param, folder=tmp_path)
        assert terminal.code == 0, "\n".join(terminal.shown)
        return terminal.shown

    return run


def tells_what_happened(lines):
    """Whether the warning and the whole reason of the failure are there, each once."""
    text = "".join("".join(lines).split())  # lines are broken where the terminal ends
    reason = "lr=0.03-s0:failed:areason" + "ofmanywords" * 8 + "END"
    return text.count("lr=0.02-s0:thelossisodd") == text.count(reason) == 1


def test_warnings_and_reasons_outlive_the_table(show):
    lines = show()
    assert tells_what_happened(lines)
    assert lines[-1] == "2 running, 1 failed, 37 planned"
    assert not any("epoch" in line for line in lines), "a table that nobody draws any more"


def test_a_table_keeps_the_end_of_names_and_counts_what_it_leaves_out(show):
    lines = show("stay")
    (head,) = (number for number, line in enumerate(lines) if line.startswith("run "))
    above, table = lines[: head - 1], lines[head - 1 :]
    assert tells_what_happened(above)
    assert len(table) < LINES
    first, second, third, *planned, more = table[3 : 3 + LINES - AROUND + 1]
    for row, state, name in (
        (first, "running 5/10 0.5000 0 s", "lr=0.01-s0"),
        (second, "running 5/10 0.5000 0 s", "lr=0.02-s0"),
        (third, "failed 0/10", "lr=0.03-s0"),
    ):
        assert row.split()[0].endswith(name)
        assert " ".join(row.split()[1:]) == state
    assert all(row.split()[1:] == ["planned", "0/10"] for row in planned)
    assert more == f"{40 - 3 - len(planned)} more"
    caption = " ".join(" ".join(table[4 + LINES - AROUND :]).split())
    assert re.fullmatch(r"2 running, 1 failed, 37 planned; about \d+ s left", caption)
