"""Exercises 1 to 3 of the chapter on the real data, as a reader runs them."""

import json
import os
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.realdata, pytest.mark.slow]

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
HOURS = 3600  # seconds


@pytest.fixture
def sweep(start):
    def run(exercise):
        begun = time.monotonic()
        data = ("--data-dir", os.environ["LENETCTL_DATA"])
        process = start("lenetctl", "sweep", EXPERIMENTS / exercise, "--jobs", 2, *data, "--json")
        out, err = process.communicate(timeout=4 * HOURS)
        assert process.returncode == 0, err
        return json.loads(out), time.monotonic() - begun

    return run


@pytest.mark.parametrize(
    ("exercise", "trials", "promised"),
    [("exercise1", 6, None), ("exercise2", 51, 0.925), ("exercise3", 6, 0.993)],
)
def test_one_command_answers_an_exercise_and_is_quick_the_second_time(
    sweep, exercise, trials, promised
):
    document, _ = sweep(exercise)
    assert document["counts"] == {"finished": trials}
    ranking = document["leaderboard"]
    assert ranking["metric"] == "validation/accuracy"
    accuracies = {row["name"]: row["test/accuracy"]["mean"] for row in ranking["rows"]}
    assert "baseline" in accuracies
    if promised:
        assert accuracies["best"] >= promised
    again, seconds = sweep(exercise)
    assert again["counts"] == {"skipped": trials}
    assert seconds < 30
