"""Sweeps as processes: what becomes of them when parts of them are killed."""

import json
import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest
from helpers.waiting import wait_for as waited

from lenetctl.runs.store import RunStore

SWEEP = ("lenetctl", "sweep", "quick.yaml", "--seeds", "0,1,2", "-s", "training.epochs=20")
ROOT = "mlruns/lenetctl"
LIMIT = 120  # seconds
wait_for = partial(waited, seconds=LIMIT)


def epochs(project):
    return sum(len(run.epochs()) for run in RunStore(project / ROOT).all())


def session(process):
    """Return the processes of a command's session that are still at work.

    Not those that have ended but for their entry, which have no command line any more, nor the
    tracker of Python's multiprocessing, which ends when it sees that the command has.
    """
    alive = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            sid = stat.read_text().rpartition(")")[2].split()[3]
            command = stat.with_name("cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(sid) == process.pid and command and b"resource_tracker" not in command:
            alive.append(int(stat.parent.name))
    return alive


def finish(process):
    out, err = process.communicate(timeout=3 * LIMIT)
    return process.returncode, out, err


def everything_is_done_once(project, trials=3):
    runs = RunStore(project / ROOT).all()
    assert len(runs) == trials
    for run in runs:
        assert run.status.state == "FINISHED"
        numbers = [line["epoch"] for line in run.epochs()]
        assert numbers == list(range(1, run.spec().training.epochs + 1))


def test_a_dry_run_shows_the_trials_and_trains_nothing(project, start):
    code, out, err = finish(start(*SWEEP, "--dry-run", "--json"))
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["sweep"] == "quick"
    assert document["counts"] == {"planned": 3}
    assert [trial["name"] for trial in document["trials"]] == ["quick-s0", "quick-s1", "quick-s2"]
    assert document["trials"][1]["overrides"] == {"training.seed": 1}
    assert not (project / "mlruns").exists()


@pytest.mark.parametrize("jobs", [pytest.param("1", marks=pytest.mark.slow), "2"])
def test_a_diverging_trial_is_6_and_the_others_finish(project, start, jobs):
    grid = ("-g", "training.optimizer.lr=1e30,0.1", "-s", "training.epochs=1", "--jobs", jobs)
    code, out, err = finish(start("lenetctl", "sweep", "quick.yaml", *grid, "--json"))
    assert code == 6, err
    document = json.loads(out)
    assert document["counts"] == {"failed": 1, "finished": 1}
    by_name = {trial["name"]: trial for trial in document["trials"]}
    assert by_name["quick-lr=0.1-s0"]["run_id"]
    assert by_name["quick-lr=0.1-s0"]["metrics"]["test/accuracy"] > 0
    assert document["leaderboard"]["metric"] == "test/accuracy"
    assert "Traceback" not in err, err


@pytest.mark.slow
def test_mlflow_has_the_runs_below_a_parent_and_skipping_is_quick(project, start):
    from lenetctl.tracking.store import open_client

    quick = (*SWEEP, "-s", "training.epochs=1")
    assert finish(start(*quick))[0] == 0
    made = open_client(f"sqlite:///{project / 'mlflow.db'}")
    experiment = made.get_experiment_by_name("quick").experiment_id
    children = made.search_runs([experiment], "tags.`lenetctl.sweep` = 'quick'")
    (parent,) = made.search_runs([experiment], "tags.`lenetctl.sweep_parent` = 'quick'")
    assert {run.info.run_name for run in children} == {"quick-s0", "quick-s1", "quick-s2"}
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    assert {run.info.status for run in (parent, *children)} == {"FINISHED"}
    started = time.monotonic()
    code, out, _ = finish(start(*quick))
    assert code == 0
    assert "3 skipped" in out
    assert "peeks" in out
    assert time.monotonic() - started < 10
    everything_is_done_once(project)


@pytest.mark.slow
def test_ctrl_c_leaves_no_orphans_and_the_same_command_goes_on(project, start):
    process = start(*SWEEP, "--jobs", "2")
    wait_for(lambda: epochs(project) >= 2)
    os.killpg(process.pid, signal.SIGINT)
    code, _, err = finish(process)
    assert code == 130
    assert "the same command goes on" in err
    assert "Traceback" not in err, err
    assert not session(process)
    assert "RUNNING" not in {run.status.state for run in RunStore(project / ROOT).all()}
    assert finish(start(*SWEEP, "--jobs", "2"))[0] == 0
    everything_is_done_once(project)


@pytest.mark.slow
def test_the_workers_of_a_killed_driver_end_and_the_same_command_goes_on(project, start):
    process = start(*SWEEP, "--jobs", "2")
    wait_for(lambda: epochs(project) >= 2)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not session(process))
    assert finish(start(*SWEEP, "--jobs", "2"))[0] == 0
    everything_is_done_once(project)


@pytest.mark.slow
def test_eight_sweeps_at_once_train_nothing_twice(project, start):
    quick = (*SWEEP, "-s", "training.epochs=2")
    ended = [finish(process) for process in [start(*quick) for _ in range(8)]]
    assert [code for code, _, _ in ended] == [0] * 8, ended
    everything_is_done_once(project)
