import multiprocessing
import os
import signal

import pytest
from helpers.equality import metrics
from helpers.sweeps import EventRecorder, beside_serial, fail_fast, in_processes, serial

from lenetctl.runs.execute import execute
from lenetctl.runs.options import RunOptions
from lenetctl.sweeps.events import FailedFast
from lenetctl.sweeps.executors.base import ExecutorSettings
from lenetctl.sweeps.executors.serial import SerialExecutor
from lenetctl.sweeps.trial import (
    Trial,
    finished_run,
    latest_finished,
    latest_unfinished,
    unfinished_run,
)


def test_trials_are_run_tagged_and_repeatable(trials, options):
    recorder, (one, two) = EventRecorder(), trials(0, 1)
    serial([one, two], options, recorder)
    assert recorder.of(one) == recorder.of(two) == ["started", "epoch_end", "finished"]
    runs = options.store.all()
    assert [run.name for run in runs] == ["quick-s0", "quick-s1"]
    assert [run.record.tags for run in runs] == [{"lenetctl.sweep": "study"}] * 2
    assert runs[0].record.command == one.command


@pytest.mark.parametrize("force", [False, True])
def test_what_is_done_is_skipped_unless_forced(trials, options, force):
    serial(trials(0), options, EventRecorder())
    recorder = EventRecorder()
    serial(trials(0), options, recorder, force=force)
    assert recorder.events[-1].kind == ("finished" if force else "skipped")
    assert len(options.store.all()) == (2 if force else 1)
    assert recorder.events[-1].run == options.store.all()[-1]


def test_what_was_stopped_goes_on(trials, options, digits, tmp_path):
    def stop(event):
        if event.run and event.run.epochs():
            raise KeyboardInterrupt

    (trial,) = trials(0, epochs=3)
    with pytest.raises(KeyboardInterrupt):
        serial([trial], options, EventRecorder(stop))
    (run,) = options.store.all()
    assert run.status.state == "KILLED"
    assert latest_unfinished(options.store.by_spec()[trial.sha256]) == run
    serial([trial], options, EventRecorder())
    whole = execute(digits(epochs=3), RunOptions(tmp_path / "whole", device="cpu"))
    assert options.store.all() == [run]
    assert metrics(run) == metrics(whole)


def test_images_that_changed_are_trained_on_again(digits, trials, options, tmp_path, monkeypatch):
    (trial,) = trials(0)
    serial([trial], options, EventRecorder())
    run = latest_finished(options.store.by_spec()[trial.sha256])
    folder = trial.spec.data.model_copy(update={"dataset": "folder"})
    spec = trial.spec.model_copy(update={"data": folder})
    same = Trial(spec, trial.sha256, trial.source, {})
    digest = run.record.data.digest
    for now, expected in ((digest, run), ("0" * 64, None)):
        loaded = type("Loaded", (), {"digest": now})
        monkeypatch.setattr("lenetctl.data.dataset.load_dataset", lambda *_, loaded=loaded: loaded)
        assert finished_run(same, options) == expected
        run.set_status("KILLED")
        assert unfinished_run(same, options) == expected
        run.set_status("FINISHED")


@pytest.mark.parametrize("executor", [serial, pytest.param(in_processes, marks=pytest.mark.slow)])
def test_a_failure_harms_no_other(trials, options, executor):
    recorder, (bad, good) = EventRecorder(), trials(None, 0)
    executor([bad, good], options, recorder)
    assert recorder.of(bad) == ["started", "failed"]
    assert recorder.of(good) == ["started", "epoch_end", "finished"]
    (failed,) = [run for run in options.store.all() if run.record.spec_sha256 == bad.sha256]
    assert (failed.status.state, failed.status.outcome) == ("FAILED", "diverged")
    assert latest_unfinished([failed]) is None


def test_a_run_is_drawn_before_it_says_that_it_has_finished(trials, options):
    drawn = []

    def draw(run, result):
        drawn.append((run.status.state, result.classes))
        raise OSError  # the writer's to tell

    recorder, (trial,) = EventRecorder(), trials(0)
    SerialExecutor(ExecutorSettings(options, draw=draw)).run([trial], recorder)
    (run,) = options.store.all()
    assert drawn == [("RUNNING", run.result.classes)]
    assert recorder.of(trial)[-1] == "finished"


def test_failing_fast_leaves_the_rest_alone(trials, options):
    recorder, (bad, good) = EventRecorder(fail_fast), trials(None, 0)
    with pytest.raises(FailedFast):
        serial([bad, good], options, recorder)
    assert recorder.of(good) == []


def test_workers_give_the_bits_of_the_serial_executor(trials, options):
    in_processes(trials(0, 1), options, EventRecorder())
    assert not multiprocessing.active_children()
    for run, alone in beside_serial(trials(0, 1), options):
        assert metrics(run) == metrics(alone)


@pytest.mark.slow
@pytest.mark.parametrize("deaths", [1, 2])
def test_the_trial_of_a_killed_worker_is_tried_again_once(trials, options, deaths):
    victim, other = trials(0, 1, epochs=4)
    killed = []

    def kill(event):
        if (
            event.sha256 == victim.sha256
            and event.kind in ("started", "epoch_end")
            and len(killed) < deaths
        ):
            pid = event.run.status.pid
            if pid not in killed:
                killed.append(pid)
                os.kill(pid, signal.SIGKILL)

    recorder = EventRecorder(kill)
    in_processes([victim, other], options, recorder)
    assert recorder.of(other)[-1] == "finished"
    assert recorder.of(victim)[-1] == ("finished" if deaths == 1 else "failed")
    assert any("SIGKILL" in event.message for event in recorder.events)
    (run,) = [run for run in options.store.all() if run.record.spec_sha256 == victim.sha256]
    assert run.status.state == ("FINISHED" if deaths == 1 else "FAILED")
    assert not multiprocessing.active_children()


@pytest.mark.slow
def test_an_interrupt_leaves_no_worker_and_no_run_behind(trials, options):
    def stop(event):
        if event.run and event.run.epochs():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_processes(trials(0, 1, 2, epochs=400), options, EventRecorder(stop))
    assert not multiprocessing.active_children()
    assert {run.status.state for run in options.store.all()} == {"KILLED"}
