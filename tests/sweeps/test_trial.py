import multiprocessing
import os
import signal

import pytest
from helpers.trial_events import Ear, fail_fast, metrics

from lenetctl import specs
from lenetctl.runs.execute import RunOptions, execute
from lenetctl.runs.store import every
from lenetctl.sweeps.executors.processes import processes, serial
from lenetctl.sweeps.plan import Trial
from lenetctl.sweeps.trial import FailedFast, done, finished, index, prepare, unfinished

DIVERGES = {"kind": "sgd", "lr": 1e30}


@pytest.fixture
def options(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # in workers, too: the same threads, the same bits
    prepare(tmp_path)
    return RunOptions(tmp_path, device="cpu", tags={"lenetctl.sweep": "study"})


@pytest.fixture
def trials(digits, tmp_path):
    """Make a trial for each seed given, and one that diverges for None."""

    def make(*seeds, **training):
        changes = [{"optimizer": DIVERGES} if seed is None else {"seed": seed} for seed in seeds]
        made = [digits(**training, **change) for change in changes]
        return [Trial(spec, specs.sha256(spec), tmp_path / "quick.yaml", {}) for spec in made]

    return make


def in_workers(trials, options, tell, **how):
    processes(trials, options, tell, jobs=2, **how)


def test_trials_are_run_tagged_and_repeatable(trials, options):
    ear, (one, two) = Ear(), trials(0, 1)
    serial([one, two], options, ear)
    assert ear.of(one) == ear.of(two) == ["running", "finished"]
    runs = every(options.root)
    assert [run.name for run in runs] == ["quick-s0", "quick-s1"]
    assert [run.record["tags"] for run in runs] == [{"lenetctl.sweep": "study"}] * 2
    assert runs[0].record["command"] == one.command


@pytest.mark.parametrize("force", [False, True])
def test_what_is_done_is_skipped_unless_forced(trials, options, force):
    serial(trials(0), options, Ear())
    ear = Ear()
    serial(trials(0), options, ear, force=force)
    assert ear.heard[-1].status == ("finished" if force else "skipped")
    assert len(every(options.root)) == (2 if force else 1)
    assert ear.heard[-1].run == every(options.root)[-1]


def test_what_was_stopped_goes_on(trials, options, digits, tmp_path):
    def stop(news):
        if news.run and news.run.epochs():
            raise KeyboardInterrupt

    (trial,) = trials(0, epochs=3)
    with pytest.raises(KeyboardInterrupt):
        serial([trial], options, Ear(stop))
    (run,) = every(options.root)
    assert run.status["status"] == "KILLED"
    assert unfinished(index(options.root)[trial.sha256]) == run
    serial([trial], options, Ear())
    whole = execute(digits(epochs=3), RunOptions(tmp_path / "whole", device="cpu"))
    assert every(options.root) == [run]
    assert metrics(run) == metrics(whole)


def test_images_that_changed_are_trained_on_again(digits, trials, options, tmp_path, monkeypatch):
    (trial,) = trials(0)
    serial([trial], options, Ear())
    run = finished(index(options.root)[trial.sha256])
    folder = trial.spec.data.model_copy(update={"dataset": "folder"})
    spec = trial.spec.model_copy(update={"data": folder})
    same = Trial(spec, trial.sha256, trial.source, {})
    digest = run.record["data"]["digest"]
    for now, expected in ((digest, run), ("0" * 64, None)):
        loaded = type("Loaded", (), {"digest": now})
        monkeypatch.setattr("lenetctl.data.dataset.load_dataset", lambda *_, loaded=loaded: loaded)
        assert done(same, options) == expected


@pytest.mark.parametrize("executor", [serial, pytest.param(in_workers, marks=pytest.mark.slow)])
def test_a_failure_harms_no_other(trials, options, executor):
    ear, (bad, good) = Ear(), trials(None, 0)
    executor([bad, good], options, ear)
    assert ear.of(bad) == ["running", "failed"]
    assert ear.of(good) == ["running", "finished"]
    (failed,) = [run for run in every(options.root) if run.record["spec_sha256"] == bad.sha256]
    assert (failed.status["status"], failed.status["outcome"]) == ("FAILED", "diverged")
    assert unfinished([failed]) is None


def test_failing_fast_leaves_the_rest_alone(trials, options):
    ear, (bad, good) = Ear(fail_fast), trials(None, 0)
    with pytest.raises(FailedFast):
        serial([bad, good], options, ear)
    assert ear.of(good) == []


def test_workers_give_the_bits_of_the_serial_executor(trials, options, tmp_path):
    in_workers(trials(0, 1), options, Ear())
    assert not multiprocessing.active_children()
    other = RunOptions(tmp_path / "serial", device="cpu")
    prepare(other.root)
    serial(trials(0, 1), other, Ear())
    alone, shared = (
        {run.name: metrics(run) for run in every(root)} for root in (other.root, options.root)
    )
    assert alone == shared


@pytest.mark.slow
@pytest.mark.parametrize("deaths", [1, 2])
def test_the_trial_of_a_killed_worker_is_tried_again_once(trials, options, deaths):
    victim, other = trials(0, 1, epochs=4)
    killed = []

    def kill(news):
        if news.sha256 == victim.sha256 and news.status == "running" and len(killed) < deaths:
            pid = news.run.status["pid"]
            if pid not in killed:
                killed.append(pid)
                os.kill(pid, signal.SIGKILL)

    ear = Ear(kill)
    in_workers([victim, other], options, ear)
    assert ear.of(other)[-1] == "finished"
    assert ear.of(victim)[-1] == ("finished" if deaths == 1 else "failed")
    assert any("SIGKILL" in news.message for news in ear.heard)
    (run,) = [run for run in every(options.root) if run.record["spec_sha256"] == victim.sha256]
    assert run.status["status"] == ("FINISHED" if deaths == 1 else "FAILED")
    assert not multiprocessing.active_children()


@pytest.mark.slow
def test_an_interrupt_leaves_no_worker_and_no_run_behind(trials, options):
    def stop(news):
        if news.run and news.run.epochs():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_workers(trials(0, 1, 2, epochs=400), options, Ear(stop))
    assert not multiprocessing.active_children()
    assert {run.status["status"] for run in every(options.root)} == {"KILLED"}
