import json
import re
from dataclasses import replace
from math import log

import pytest
import safetensors.torch
import torch
from helpers.equality import metrics

from lenetctl.data.dataset import load_dataset
from lenetctl.errors import BusyError, CheckpointError, DataError, DivergedError, UsageError
from lenetctl.runs import lifecycle
from lenetctl.runs.callbacks import RunCallback
from lenetctl.runs.execute import execute
from lenetctl.runs.options import RunOptions
from lenetctl.runs.weights import read_weights
from lenetctl.training import checkpoint, meter

MOMENTUM = {"kind": "sgd", "lr": 0.1, "momentum": 0.9}


class Interrupt(RunCallback):
    """Presses Ctrl-C after an epoch, or in the middle of one."""

    def __init__(self, after=None, during=None):
        self.after, self.during = after, during

    def on_epoch_end(self, run, result):
        if result.epoch == self.after:
            raise KeyboardInterrupt

    def on_progress(self, now):
        if now.epoch == self.during:
            raise KeyboardInterrupt


class Listener(RunCallback):
    def __init__(self):
        self.heard, self.warnings = [], []

    def on_start(self, run, spec, epochs_done):
        assert run.is_held()
        self.heard.append(("start", epochs_done))

    def on_epoch_end(self, run, result):
        assert run.epochs()[-1]["epoch"] == result.epoch
        self.heard.append(("epoch", result.epoch))

    def on_warning(self, message):
        self.warnings.append(message)


@pytest.fixture
def options(tmp_path):
    return RunOptions(tmp_path / "runs", device="cpu")


def same_weights(one, other):
    one, other = read_weights(one), read_weights(other)
    return one.keys() == other.keys() and all(torch.equal(one[n], other[n]) for n in one)


def test_a_finished_run_says_so_and_holds_everything(finished):
    assert finished.status.state == "FINISHED"
    assert finished.status.outcome == "finished"
    assert not finished.is_held()
    assert [line["epoch"] for line in finished.epochs()] == [1, 2]
    assert finished.result.final["test/accuracy"] == finished.epochs()[-1]["test/accuracy"]
    assert finished.result.weights == "last"
    assert not finished.best.exists()
    record = finished.record
    assert record.name == "quick-s0"
    assert record.parameters == 61_706
    assert len(record.data.digest) == 64
    assert record.data.train == 512
    assert sum(map(sum, finished.result.confusion)) == record.data.test


def test_the_watcher_hears_of_what_is_on_disk(digits, options):
    listener = Listener()
    execute(digits(), options, listener)
    assert listener.heard == [("start", 0), ("epoch", 1), ("epoch", 2)]
    assert listener.warnings == []


def test_the_same_spec_and_seed_give_the_same_bits(digits, finished, options):
    again = execute(digits(), options)
    assert metrics(again) == metrics(finished)
    assert again.result.confusion == finished.result.confusion
    assert same_weights(again, finished)


def test_another_seed_gives_another_run(digits, finished, options):
    other = execute(digits(seed=1), options)
    assert metrics(other) != metrics(finished)


@pytest.mark.parametrize("how", [{"after": 1}, {"after": 2}, {"during": 1}, {"during": 3}])
def test_interrupted_and_resumed_gives_the_bits_of_an_uninterrupted_run(
    digits, options, tmp_path, monkeypatch, how
):
    monkeypatch.setattr(meter, "INTERVAL", 0)  # tell of every step
    spec = digits(epochs=3, optimizer=MOMENTUM, ema=0.9, data={"batch_size": 64})
    whole = execute(spec, RunOptions(tmp_path / "whole", device="cpu"))
    with pytest.raises(KeyboardInterrupt):
        execute(spec, options, Interrupt(**how))
    (run,) = options.store.all()
    assert run.status.state == "KILLED"
    assert not run.is_held()
    listener = Listener()
    execute(spec, options, listener, resume=run)
    done = how.get("after", how.get("during", 1) - 1)
    assert listener.heard[0] == ("start", done)
    assert not any("bit-exact" in warning for warning in listener.warnings)
    assert run.status.state == "FINISHED"
    assert metrics(run) == metrics(whole)
    assert same_weights(run, whole)
    assert run.result.confusion == whole.result.confusion


def test_a_crash_between_checkpoint_and_journal_loses_no_epoch(digits, options, finished):
    with pytest.raises(KeyboardInterrupt):
        execute(digits(), options, Interrupt(after=1))
    (run,) = options.store.all()
    run.write_epochs([])  # as if killed before the line was written
    execute(digits(), options, resume=run)
    assert metrics(run) == metrics(finished)


def test_a_damaged_checkpoint_falls_back_to_the_one_before(digits, options, tmp_path):
    spec = digits(epochs=3)
    whole = execute(spec, RunOptions(tmp_path / "whole", device="cpu"))
    with pytest.raises(KeyboardInterrupt):
        execute(spec, options, Interrupt(after=2))
    (run,) = options.store.all()
    path = run.checkpoints / "epoch-000002.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    listener = Listener()
    execute(spec, options, listener, resume=run)
    assert listener.heard[0] == ("start", 1)
    assert any("damaged" in warning for warning in listener.warnings)
    assert metrics(run) == metrics(whole)
    assert same_weights(run, whole)


@pytest.mark.parametrize(
    "numbers",
    [
        {"history": []},
        {"history": 7},
        {"history": [1]},
        {"history": "x"},
        {"history": [{}]},
        {"history": [{"epoch": 1}]},
        {"history": None, "epoch": None},
        {"epoch": 10**9},
        {"epoch": "1"},
        {"best_epoch": 2},
        {"best_epoch": -1},
        {"best_epoch": "1"},
        {"best_accuracy": "x"},
        {"best_accuracy": [1]},
    ],
)
def test_numbers_that_no_run_wrote_are_refused(digits, options, numbers):
    with pytest.raises(KeyboardInterrupt):
        execute(digits(), options, Interrupt(after=1))
    (run,) = options.store.all()
    path = run.checkpoints / "epoch-000001.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | numbers))
    with pytest.raises(CheckpointError, match=r"epoch-000001\.safetensors: not a checkpoint of"):
        execute(digits(), options, resume=run)
    assert run.status.state == "FAILED"


def test_resuming_elsewhere_warns_that_it_is_not_bit_exact(digits, options):
    with pytest.raises(KeyboardInterrupt):
        execute(digits(), options, Interrupt(after=1))
    (run,) = options.store.all()
    run.write_record(run.record.model_copy(update={"device": "an older machine"}))
    listener = Listener()
    execute(digits(), options, listener, resume=run)
    assert any("not bit-exact: begun on an older machine" in w for w in listener.warnings)
    assert run.status.state == "FINISHED"


def test_auto_resumes_a_run_with_its_own_engine_and_bits(digits, options, tmp_path):
    spec = digits(optimizer=MOMENTUM, data={"limit": 200})
    whole = execute(spec, RunOptions(tmp_path / "whole", device="cpu", engine="eager"))
    with pytest.raises(KeyboardInterrupt):
        execute(spec, replace(options, engine="eager"), Interrupt(after=1))
    (run,) = options.store.all()
    listener = Listener()
    execute(spec, options, listener, resume=run)  # auto would compile a run of its own
    assert run.record.engine == "eager"
    assert listener.warnings == []
    assert metrics(run) == metrics(whole)
    assert same_weights(run, whole)


def test_resuming_with_another_engine_warns_that_it_is_not_bit_exact(digits, options):
    with pytest.raises(KeyboardInterrupt):
        execute(digits(), options, Interrupt(after=1))
    (run,) = options.store.all()
    listener = Listener()
    execute(digits(), replace(options, engine="eager"), listener, resume=run)
    assert any(re.search("not bit-exact: .*compiled; .*eager", w) for w in listener.warnings)


@pytest.mark.parametrize("known", [True, False])
def test_going_on_with_other_images_is_refused(digits, options, known):
    with pytest.raises(KeyboardInterrupt):
        execute(digits(), options, Interrupt(after=1))
    (run,) = options.store.all()
    data = run.record.data.model_copy(update={"digest": "0" * 64 if known else ""})
    run.write_record(run.record.model_copy(update={"data": data}))
    if known:
        with pytest.raises(DataError, match="the images of digits have changed since it was begun"):
            execute(digits(), options, resume=run)
        assert run.status.state == "KILLED"
    else:  # a folder that an older version left
        assert execute(digits(), options, resume=run).is_finished


def test_a_finished_run_is_not_measured_again(digits, options):
    run = execute(digits(epochs=1), options)
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    listener = Listener()
    execute(run.spec(), replace(options, data_dir="nowhere"), listener, resume=run)
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before
    assert listener.heard == []
    assert [w for w in listener.warnings if "has finished" in w] == listener.warnings != []


def test_a_run_that_diverges_fails_and_keeps_its_last_good_weights(digits, options):
    spec = digits(epochs=5, optimizer={"kind": "sgd", "lr": 1e8})
    with pytest.raises(DivergedError):
        execute(spec, options)
    (run,) = options.store.all()
    assert run.status.state == "FAILED"
    assert run.status.outcome == "diverged"
    assert "DivergedError" in run.status.message
    assert not run.is_held()
    for path in run.checkpoints.glob("*.safetensors"):
        assert all(t.isfinite().all() for t in checkpoint.read_checkpoint(path).tensors.values())


def test_any_other_error_fails_the_run(digits, options):
    class Broken(RunCallback):
        def on_epoch_end(self, run, result):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        execute(digits(), options, Broken())
    (run,) = options.store.all()
    assert run.status.state == "FAILED"
    assert run.status.outcome == "failed"


def test_a_loss_at_that_of_guessing_is_a_plateau(digits, options):
    listener = Listener()
    spec = digits(epochs=1, optimizer={"kind": "sgd", "lr": 1e-9})
    run = execute(spec, options, listener)
    assert run.epochs()[-1]["train/loss"] == pytest.approx(log(10), abs=0.3)
    assert (run.status.state, run.status.outcome) == ("FINISHED", "plateau")
    assert len(listener.warnings) == 1


def test_validation_chooses_the_weights_and_the_test_set_is_read_once(digits, options, monkeypatch):
    read = []
    original = lifecycle.evaluate_weights

    def recorded(state, weights, split):
        read.append(len(split))
        return original(state, weights, split)

    monkeypatch.setattr(lifecycle, "evaluate_weights", recorded)
    run = execute(digits(epochs=4, data={"validation": 200, "batch_size": 32}), options)
    data = run.record.data
    assert data.validation == 200
    assert read == [data.test]
    for line in run.epochs():
        assert "validation/accuracy" in line
        assert not any(key.startswith("test/") for key in line)
    accuracies = [line["validation/accuracy"] for line in run.epochs()]
    best, result = checkpoint.read_checkpoint(run.best), run.result
    assert best.numbers["epoch"] == result.best["epoch"] == 1 + accuracies.index(max(accuracies))
    assert result.best["test/accuracy"] == result.final["test/accuracy"]
    confusion = torch.tensor(result.confusion)
    right = float(confusion.diagonal().sum() / confusion.sum())
    assert result.final["test/accuracy"] == pytest.approx(right)


def test_a_second_start_is_refused_while_the_first_one_trains(digits, options):
    class Again(RunCallback):
        def on_epoch_end(self, run, result):
            with pytest.raises(BusyError):
                execute(digits(), options)
            with pytest.raises(BusyError):
                execute(digits(), options, resume=run)

    run = execute(digits(), options, Again())
    assert options.store.all() == [run]
    assert run.status.state == "FINISHED"


def test_a_root_that_cannot_be_written_is_told_before_training(digits, tmp_path):
    (tmp_path / "file").touch()
    listener = Listener()
    with pytest.raises(UsageError, match="cannot be written"):
        execute(digits(), RunOptions(tmp_path / "file", device="cpu"), listener)
    assert listener.heard == []


def test_missing_data_begin_no_run(digits, options, tmp_path):
    spec = digits(data={"dataset": "folder", "folder": "nowhere"})
    with pytest.raises(DataError):
        execute(spec, RunOptions(options.root, data_dir=tmp_path, device="cpu"))
    assert options.store.all() == []


def test_the_digest_is_that_of_the_data(finished):
    assert finished.record.data.digest == load_dataset(finished.spec().data).digest


def test_no_file_of_a_run_is_half_written_or_a_pickle(finished):
    names = {path.name for path in finished.path.rglob("*") if path.is_file()}
    assert not [name for name in names if name.endswith((".tmp", ".pt", ".pth", ".pkl", ".bin"))]
    for path in finished.checkpoints.glob("*.safetensors"):
        assert safetensors.torch.load(path.read_bytes())
        assert json.loads(path.with_suffix(".json").read_bytes())["sha256"]


def test_more_epochs_are_a_new_run_with_the_bits_of_as_many_from_the_start(digits, options):
    short, long = (
        digits(epochs=epochs, optimizer=MOMENTUM, data={"validation": 100}) for epochs in (1, 3)
    )
    first = execute(short, options)
    status = first.status
    longer = execute(long, options, resume=first)
    whole = execute(long, replace(options, root=options.root / "whole"))
    assert (longer.record.continues, whole.record.continues) == (first.path.name, "")
    assert metrics(longer) == metrics(whole)
    assert longer.result.confusion == whole.result.confusion
    same_weights(longer, whole)
    assert (first.status, len(first.epochs())) == (status, 1)
    assert longer.epochs()[0] == first.epochs()[0]


def test_what_more_epochs_would_not_be(digits, options):
    first = execute(digits(epochs=2), options)
    refused = [
        (digits(epochs=1), UsageError, "it has 2 epochs already"),
        (digits(epochs=3, optimizer=MOMENTUM), CheckpointError, "optimizer.momentum 0.0 there"),
    ]
    for spec, error, message in refused:
        with pytest.raises(error, match=message):
            execute(spec, options, resume=first)
    cosine = {"kind": "cosine"}
    fitted = execute(digits(epochs=1, schedule=cosine), options)
    with pytest.raises(UsageError, match="its cosine schedule is one of 1 epochs"):
        execute(digits(epochs=2, schedule=cosine), options, resume=fitted)
    early = {"early_stopping": {"patience": 1}, "optimizer": {"kind": "sgd", "lr": 1e-9}}
    stopped = execute(digits(epochs=3, data={"validation": 100}, **early), options)
    with pytest.raises(UsageError, match="it stopped early after 2 epochs"):
        execute(digits(epochs=4, data={"validation": 100}, **early), options, resume=stopped)
