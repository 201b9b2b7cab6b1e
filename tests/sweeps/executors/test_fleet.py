from contextlib import ExitStack

import pytest
from helpers.equality import metrics
from helpers.sweeps import EventRecorder, fail_fast

from lenetctl import specs
from lenetctl.runs.callbacks import RunCallback
from lenetctl.runs.execute import execute
from lenetctl.runs.options import RunOptions
from lenetctl.runs.weights import read_weights
from lenetctl.sweeps.claims import claimed, make_claims_folder
from lenetctl.sweeps.events import Decision, FailedFast
from lenetctl.sweeps.executors import fleet as module
from lenetctl.sweeps.executors.base import ExecutorSettings
from lenetctl.sweeps.executors.fleet import FleetExecutor, grouped
from lenetctl.sweeps.trial import Trial
from lenetctl.training.fleet import key

NET = {"conv": [{"channels": 3, "kernel": 5, "stride": 2}], "dense": [12]}
DATA = {"limit": 128, "batch_size": 64, "validation": 200}


@pytest.fixture
def options(tmp_path):
    make_claims_folder(tmp_path)
    return RunOptions(tmp_path, device="cpu", tags={"lenetctl.sweep": "study"})


@pytest.fixture
def trial(digits, tmp_path):
    """Make a trial that takes milliseconds."""

    def make(seed=0, lr=0.1, data=(), model=(), **training):
        optimizer = {"kind": "sgd", "lr": lr, "momentum": 0.9}
        spec = digits(
            data=DATA | dict(data),
            model=NET | dict(model),
            **{"seed": seed, "optimizer": optimizer, **training},
        )
        return Trial(spec, specs.sha256(spec), tmp_path / "quick.yaml", {"training.seed": seed})

    return make


def fleet(trials, options, listener, *, force=False):
    FleetExecutor(ExecutorSettings(options, force=force)).run(trials, listener)


def run_of(trial, options):
    (run,) = options.store.by_spec()[trial.sha256]
    return run


def same_metrics(run, other):
    assert len(run.epochs()) == len(other.epochs()) > 0
    for one, two in zip(metrics(run), metrics(other), strict=True):
        assert one == pytest.approx(two, rel=1e-4)


def test_groups_are_of_a_kind_and_no_larger_than_allowed(trial):
    one, two, three, four = (trial(seed) for seed in range(4))
    odd, pair = trial(model={"dense": [13]}), trial(5, model={"dense": [13]})
    groups = list(grouped([one, odd, two, three, pair, four], size=3))
    assert groups == [[one, two], [three, four], [odd, pair]]


def test_every_run_is_that_of_its_trial_alone(trial, options, tmp_path):
    alike = [trial(0), trial(1, lr=0.03), trial(2, epochs=3)]
    odd = trial(0, model={"dense": [13]})
    recorder = EventRecorder()
    fleet([*alike, odd], options, recorder)
    for one in (*alike, odd):
        assert recorder.of(one) == ["started", "epoch_end", "finished"]
        run = run_of(one, options)
        assert run.record.engine == ("compiled" if one is odd else "fleet")
        assert run.record.command == one.command
        assert run.record.tags == {"lenetctl.sweep": "study"}
        alone = execute(one.spec, RunOptions(tmp_path / "alone", device="cpu"))
        same_metrics(run, alone)
        assert run.status.state == "FINISHED"
        assert not run.is_held()
        assert run.result.weights == "best"
        assert run.result.best == pytest.approx(alone.result.best, rel=1e-4)
        assert read_weights(run).keys() == read_weights(alone).keys()


def test_a_kind_that_no_fleet_supports_is_trained_alone_and_told(trial, options, monkeypatch):
    monkeypatch.setitem(key.SUPPORT, "activation", {"relu"})
    refused = [trial(seed, model={"activation": "tanh"}) for seed in range(2)]
    alike = [trial(seed) for seed in range(2)]
    recorder = EventRecorder()
    fleet([*refused, *alike], options, recorder)
    assert [run_of(one, options).record.engine for one in refused] == ["compiled"] * 2
    assert [run_of(one, options).record.engine for one in alike] == ["fleet"] * 2
    message = "not in a fleet: activation is tanh, which is not supported"
    warned = [event.sha256 for event in recorder.events if event.message == message]
    assert warned == [one.sha256 for one in refused]
    assert recorder.of(refused[0]) == ["started", "epoch_end", "finished"]


def test_what_is_done_is_skipped_unless_forced(trial, options):
    first, *others = trials = [trial(seed) for seed in range(3)]
    execute(first.spec, options)
    recorder = EventRecorder()
    fleet(trials, options, recorder)
    assert recorder.of(first) == ["skipped"]
    assert [recorder.of(one) for one in others] == [["started", "epoch_end", "finished"]] * 2
    fleet(trials, options, EventRecorder(), force=True)
    assert len(options.store.all()) == 6


def test_an_interrupt_ends_all_and_both_a_fleet_and_a_run_alone_go_on(trial, options, tmp_path):
    def stop(event):
        if event.run and len(event.run.epochs()) == 2:
            raise KeyboardInterrupt

    trials = [trial(seed, epochs=4) for seed in range(3)]
    recorder = EventRecorder(stop)
    with pytest.raises(KeyboardInterrupt):
        fleet(trials, options, recorder)
    runs = [run_of(one, options) for one in trials]
    assert [run.status.state for run in runs] == ["KILLED"] * 3
    assert [len(run.epochs()) for run in runs] == [2, 1, 1]  # one had heard of its second epoch
    assert not any(run.is_held() for run in runs)
    assert [recorder.of(one)[-1] for one in trials] == ["killed"] * 3

    class Warned(RunCallback):
        said = ""

        def on_warning(self, message):
            self.said = message

    watcher = Warned()
    execute(trials[0].spec, options, watcher, resume=runs[0])
    assert "engine fleet; resumed on" in watcher.said
    fleet(trials, options, EventRecorder())
    assert options.store.all() == sorted(runs, key=lambda run: run.record.created)
    for one, run in zip(trials, runs, strict=True):
        assert run.status.state == "FINISHED"
        assert [line["epoch"] for line in run.epochs()] == [1, 2, 3, 4]
        same_metrics(run, execute(one.spec, RunOptions(tmp_path / "alone", device="cpu")))


def test_one_that_diverges_fails_alone(trial, options):
    good, bad, other = trial(0), trial(1, lr=1e30), trial(2)
    recorder = EventRecorder()
    fleet([good, bad, other], options, recorder)
    assert recorder.of(bad) == ["started", "failed"]
    assert run_of(bad, options).status.state == "FAILED"
    assert run_of(bad, options).status.outcome == "diverged"
    for one in (good, other):
        assert recorder.of(one)[-1] == "finished"
        assert len(run_of(one, options).epochs()) == 2


def test_one_that_cannot_be_written_fails_alone(trial, options, monkeypatch):
    def keep(run, *args, **how):
        if run.name == "quick-s1":
            raise OSError(28, "No space left on device")
        return own(run, *args, **how)

    own = module.save_epoch
    monkeypatch.setattr(module, "save_epoch", keep)
    good, bad = trial(0), trial(1)
    recorder = EventRecorder()
    fleet([bad, good], options, recorder)
    assert recorder.of(bad) == ["started", "failed"]
    assert "No space left" in run_of(bad, options).status.message
    assert recorder.of(good)[-1] == "finished"


def test_a_fleet_that_does_not_fit_fails_with_a_hint(trial, options, monkeypatch):
    def too_large(*_):
        raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    monkeypatch.setattr(module, "train_fleet", too_large)
    trials = [trial(seed) for seed in range(4)]
    recorder = EventRecorder()
    fleet(trials, options, recorder)
    assert [recorder.of(one)[-1] for one in trials] == ["failed"] * 4
    assert "--jobs 2" in recorder.events[-1].message
    assert {run.status.state for run in options.store.all()} == {"FAILED"}


def test_one_that_is_pruned_leaves_the_fleet(trial, options):
    pruned, other = trials = trial(0, epochs=3), trial(1, epochs=3)

    def prune(event):
        if event.sha256 == pruned.sha256 and event.kind == "epoch_end":
            return Decision.PRUNE
        return None

    recorder = EventRecorder(prune)
    fleet(trials, options, recorder)
    assert recorder.of(pruned) == ["started", "epoch_end", "pruned"]
    assert recorder.of(other) == ["started", "epoch_end", "finished"]
    assert run_of(pruned, options).status.outcome == "pruned"
    assert [len(run_of(one, options).epochs()) for one in trials] == [1, 3]


def test_failing_fast_stops_the_fleet_and_leaves_the_rest(trial, options):
    good, bad, odd = trial(0, epochs=50), trial(1, lr=1e30), trial(0, model={"dense": [13]})
    recorder = EventRecorder(fail_fast)
    with pytest.raises(FailedFast):
        fleet([good, bad, odd], options, recorder)
    assert recorder.of(bad)[-1] == "failed"
    assert recorder.of(good)[-1] == "killed"
    assert recorder.of(odd) == []
    assert run_of(good, options).status.state == "KILLED"


def test_data_that_are_not_there_fail_each_trial(trial, options, tmp_path):
    trials = [trial(n, data={"dataset": "folder", "folder": "none"}) for n in range(2)]
    recorder = EventRecorder()
    fleet(trials, options, recorder)
    assert [recorder.of(one) for one in trials] == [["failed"]] * 2
    assert options.store.all() == []


@pytest.mark.parametrize("held", ["claim", "run"])
def test_a_trial_that_others_are_at_waits_for_them_not_for_the_fleet(trial, options, held):
    trials = [trial(seed) for seed in range(3)]
    first, *others = trials
    holding = ExitStack()

    def let_go(event):
        if event.sha256 == others[-1].sha256 and event.kind == "finished":
            holding.close()

    if held == "run":
        with pytest.raises(KeyboardInterrupt):
            execute(first.spec, options, _interrupting())
        holding.enter_context(run_of(first, options).held())
    else:
        holding.enter_context(claimed(options.root, first))
    recorder = EventRecorder(let_go)
    fleet(trials, options, recorder)
    assert [recorder.of(one)[-1] for one in trials] == ["finished"] * 3
    ended = [event.sha256 for event in recorder.events if event.kind == "finished"]
    assert ended[-1] == first.sha256


def _interrupting():
    class Interrupt(RunCallback):
        def on_epoch_end(self, *_):
            raise KeyboardInterrupt

    return Interrupt()
