"""Trials on all devices of a machine: pretended ones, and two GPUs where there are any."""

import ctypes

import pytest
import torch
from helpers.sweeps import EventRecorder

from lenetctl import specs
from lenetctl.artifacts import draw
from lenetctl.runs.options import RunOptions
from lenetctl.sweeps.claims import make_claims_folder
from lenetctl.sweeps.executors import devices, fleet, processes
from lenetctl.sweeps.executors.base import ExecutorSettings, make_executor
from lenetctl.sweeps.trial import Trial

SMALL = {"data": {"limit": 64, "batch_size": 64}, "optimizer": {"lr": 0.1}}


@pytest.fixture
def driver(monkeypatch):
    """Pretend that NVIDIA's driver is installed, and that torch finds `count` devices."""

    def install(count):
        monkeypatch.setattr(ctypes, "CDLL", lambda name: None)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    return install


@pytest.fixture
def trials(digits, tmp_path):
    made = [digits(seed=seed, **SMALL) for seed in range(4)]
    return [Trial(spec, specs.sha256(spec), tmp_path / "quick.yaml", {}) for spec in made]


@pytest.fixture
def sweep(trials, tmp_path, monkeypatch):
    """Run the trials on pretended devices; return what was heard, and the runs."""

    def run(executor, *pretended, jobs=None):
        for module in (processes, fleet):
            monkeypatch.setattr(module, "shared_devices", lambda _: list(pretended))
        make_claims_folder(tmp_path)
        options, recorder = RunOptions(tmp_path, device="cpu"), EventRecorder()
        settings = ExecutorSettings(options, jobs, draw=draw)
        make_executor(executor, settings).run(trials, recorder)
        return recorder, options.store.all()

    return run


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
def test_any_device_of_several_is_all_of_them(driver, wanted):
    driver(3)
    assert devices.shared_devices(wanted) == ["cuda:0", "cuda:1", "cuda:2"]


@pytest.mark.parametrize("wanted", ["cpu", "cuda:1", "mps"])
def test_a_device_that_was_named_is_that_one(driver, wanted):
    driver(3)
    assert devices.shared_devices(wanted) == [wanted]


def test_a_driver_without_a_device_leaves_the_choice_to_torch(driver):
    driver(0)
    assert devices.shared_devices("auto") == ["auto"]


def test_without_a_driver_torch_is_not_asked(monkeypatch):
    def missing(name):
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", missing)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1 / 0)
    assert devices.shared_devices("auto") == ["auto"]


def test_jobs_are_counted_by_device(trials, tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(processes, "run_in_workers", lambda *args, **_: given.append(args[2]))
    monkeypatch.setattr(processes, "shared_devices", lambda _: ["cuda:0", "cuda:1"])
    monkeypatch.setattr(processes.os, "cpu_count", lambda: 3)
    for jobs in (2, None):
        settings = ExecutorSettings(RunOptions(tmp_path), jobs)
        processes.ProcessExecutor(settings).run(trials, EventRecorder())
    names = [[settings.options.device for settings in workers] for workers in given]
    assert names == [["cuda:0", "cuda:1"] * 2, ["cuda:0", "cuda:1", "cuda:0"]]


def test_a_device_that_fails_does_not_stop_the_others(sweep, trials):
    recorder, runs = sweep("processes", "cpu", "cuda:99", jobs=1)
    ended = [event for event in recorder.events if event.ends_trial]
    assert {event.kind for event in ended} == {"finished", "failed"}
    assert all("cuda:99" in event.message for event in ended if event.kind == "failed")
    assert len(ended) == len(trials)
    assert all(run.status.state == "FINISHED" for run in runs)
    assert all((run.figures / "curves.png").exists() for run in runs)  # the workers drew them


def test_each_device_has_a_process_that_trains_fleets(sweep, trials):
    recorder, runs = sweep("fleet", "cpu", "cpu")
    assert [recorder.of(trial) for trial in trials] == [["started", "epoch_end", "finished"]] * 4
    assert sorted(run.record.spec_sha256 for run in runs) == sorted(t.sha256 for t in trials)
    assert {run.record.engine for run in runs} == {"fleet"}
    by_process = [run.status.pid for run in runs]
    assert sorted(map(by_process.count, set(by_process))) == [2, 2]


@pytest.mark.gpu
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="it needs two CUDA devices")
@pytest.mark.parametrize("executor", ["processes", "fleet"])
def test_two_gpus_share_the_trials(trials, tmp_path, executor):
    make_claims_folder(tmp_path)
    options = RunOptions(tmp_path, device="auto")
    make_executor(executor, ExecutorSettings(options, 2)).run(trials, EventRecorder())
    assert {run.record.device_index for run in options.store.all()} == {0, 1}
