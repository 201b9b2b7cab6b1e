"""Trials in jobs of submitit's local executor: `uv run --extra slurm pytest -m slow …`."""

import os
import signal

import pytest
from helpers.equality import metrics
from helpers.sweeps import EventRecorder, beside_serial, prune_second_epoch, run_of

from lenetctl.artifacts import draw
from lenetctl.errors import ResourceError, UsageError
from lenetctl.sweeps.executors.base import ExecutorSettings, make_executor

pytest.importorskip("submitit", reason="submitit is not installed: uv run --extra slurm")
HERE = {"cluster": "local", "host": "127.0.0.1"}


def in_jobs(trials, options, listener, *, jobs=2, **extra):
    settings = ExecutorSettings(options, jobs, extra=HERE | extra, draw=draw)
    make_executor("slurm", settings).run(trials, listener)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"jobs": None}, "how many Slurm jobs at a time: --jobs N"),
        ({"cluster": "slurm", "nonsense": 1}, "nonsense"),
        ({"cpus_per_task": "many"}, "many"),
        ({"cluster": "abacus"}, "cluster=abacus: slurm or local"),
    ],
)
def test_what_submitit_or_slurm_cannot_is_one_line(trials, options, changes, said, monkeypatch):
    monkeypatch.setattr("submitit.SlurmExecutor.affinity", lambda *_: 2)  # as if it were here
    with pytest.raises(UsageError, match=said) as refused:
        in_jobs(trials(0), options, EventRecorder(), **changes)
    assert str(refused.value).startswith("--executor slurm: ")
    assert "\n" not in str(refused.value)


def test_without_slurm_it_is_one_line(trials, options, monkeypatch):
    monkeypatch.setattr("submitit.SlurmExecutor.affinity", lambda *_: -1)
    with pytest.raises(UsageError, match="are you indeed on a slurm cluster"):
        in_jobs(trials(0), options, EventRecorder(), cluster="slurm")


@pytest.mark.slow
def test_its_runs_have_the_bits_of_the_serial_executor(trials, options):
    recorder, made = EventRecorder(), trials(0, 1, 2)
    in_jobs(made, options, recorder)
    assert [recorder.of(one) for one in made] == [["started", "epoch_end", "finished"]] * 3
    for run, alone in beside_serial(made, options):
        assert metrics(run) == metrics(alone)
        assert run.record.command == alone.record.command
        assert (run.figures / "curves.png").exists()  # drawn where it was trained
    assert not list(options.root.glob(".slurm-*"))


@pytest.mark.slow
def test_a_trial_is_pruned_on_the_drivers_decision(trials, options):
    recorder, (trial,) = EventRecorder(prune_second_epoch), trials(0, epochs=50)
    in_jobs([trial], options, recorder, jobs=1)
    assert recorder.of(trial) == ["started", "epoch_end", "pruned"]
    assert len(run_of(trial, options).epochs()) == 2


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGUSR2])  # SIGUSR2: its time is over
def test_the_trial_of_a_job_that_ends_goes_on_in_another(trials, options, how):
    ended = []

    def end(event):
        pid = event.run.status.pid if event.run else None
        if event.kind == "epoch_end" and pid not in ended and len(ended) < 2:
            ended.append(pid)
            os.kill(pid, how)

    recorder, (trial,) = EventRecorder(end), trials(0, epochs=6)
    in_jobs([trial], options, recorder, jobs=1)
    assert recorder.of(trial)[-4:] == ["killed", "started", "epoch_end", "finished"]
    assert recorder.of(trial).count("killed") == 2
    assert [line["epoch"] for line in run_of(trial, options).epochs()] == [1, 2, 3, 4, 5, 6]


@pytest.mark.slow
def test_an_interrupt_leaves_no_run_behind(trials, options):
    def stop(event):
        if event.run and event.run.epochs():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_jobs(trials(0, 1, epochs=2000), options, EventRecorder(stop))
    assert {run.status.state for run in options.store.all()} == {"KILLED"}


@pytest.mark.slow
def test_jobs_that_cannot_begin_are_one_line(trials, options):
    with pytest.raises(ResourceError, match=r"before they began: .*gaierror"):
        in_jobs(trials(0, 1), options, EventRecorder(), host="nowhere.invalid")
