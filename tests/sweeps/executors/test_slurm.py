"""Trials in jobs of submitit's local executor: `uv run --extra slurm pytest -m slow …`."""

import os
import signal

import pytest
from helpers.equality import metrics
from helpers.sweeps import EventRecorder, serial

from lenetctl import specs
from lenetctl.artifacts import draw
from lenetctl.errors import ResourceError, UsageError
from lenetctl.runs.options import RunOptions
from lenetctl.sweeps.claims import make_claims_folder
from lenetctl.sweeps.events import Decision
from lenetctl.sweeps.executors.base import ExecutorSettings, make_executor
from lenetctl.sweeps.trial import Trial

pytest.importorskip("submitit", reason="submitit is not installed: uv run --extra slurm")
HERE = {"cluster": "local", "host": "127.0.0.1"}


def in_jobs(trials, options, listener, *, jobs=2, **extra):
    settings = ExecutorSettings(options, jobs, extra=HERE | extra, draw=draw)
    make_executor("slurm", settings).run(trials, listener)


@pytest.fixture
def options(tmp_path):
    make_claims_folder(tmp_path / "slurm")
    return RunOptions(tmp_path / "slurm", device="cpu")


@pytest.fixture
def trials(digits, tmp_path):
    def make(*seeds, **training):
        made = [digits(seed=seed, **training) for seed in seeds]
        return [Trial(spec, specs.sha256(spec), tmp_path / "quick.yaml", {}) for spec in made]

    return make


def run_of(trial, options):
    (run,) = options.store.of_spec(trial.sha256)
    return run


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
def test_its_runs_have_the_bits_of_the_serial_executor(trials, options, tmp_path):
    recorder = EventRecorder()
    in_jobs(trials(0, 1, 2), options, recorder)
    assert [recorder.of(one) for one in trials(0, 1, 2)] == [
        ["started", "epoch_end", "finished"]
    ] * 3
    alone = RunOptions(tmp_path / "serial", device="cpu")
    make_claims_folder(alone.root)
    serial(trials(0, 1, 2), alone, EventRecorder())
    for trial in trials(0, 1, 2):
        assert metrics(run_of(trial, options)) == metrics(run_of(trial, alone))
        assert (
            run_of(trial, options).figures / "curves.png"
        ).exists()  # drawn where it was trained
        assert run_of(trial, options).record.command == run_of(trial, alone).record.command
    assert not list(options.root.glob(".slurm-*"))


@pytest.mark.slow
def test_a_trial_is_pruned_on_the_drivers_decision(trials, options):
    def prune(event):
        second = event.kind == "epoch_end" and len(event.run.epochs()) == 2
        return Decision.PRUNE if second else Decision.CONTINUE

    recorder, (trial,) = EventRecorder(prune), trials(0, epochs=50)
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
