"""The weights of each epoch, where they are kept."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lenetctl.data.digits import read_digits
from lenetctl.errors import CheckpointError
from lenetctl.model.build import build_model
from lenetctl.runs.callbacks import RunCallback
from lenetctl.runs.execute import execute
from lenetctl.runs.options import RunOptions
from lenetctl.runs.weights import kept_epochs, load_net, read_weights
from lenetctl.training.metrics import accuracy_of


class Interrupt(RunCallback):
    def on_epoch_end(self, run, result):
        if result.epoch == 1:
            raise KeyboardInterrupt


@pytest.fixture
def options(tmp_path):
    return RunOptions(tmp_path / "runs", device="cpu", keep_epochs=True)


def files_of(run):
    """The bytes of each epoch's weights."""
    return {path.name: path.read_bytes() for path in run.kept_epochs.glob("*.safetensors")}


def test_each_epoch_is_there_the_one_before_the_first_too(digits, options):
    spec = digits(epochs=3)
    run = execute(spec, options)
    assert kept_epochs(run) == [0, 1, 2, 3]
    untrained = build_model(spec.model, spec.training.seed).state_dict()
    for name, value in load_net(run, 0).state_dict().items():
        assert torch.equal(value, untrained[name]), name
    for name, value in load_net(run, 3).state_dict().items():
        assert torch.equal(value, read_weights(run, "last")[name]), name
    test = read_digits().test
    images = torch.from_numpy(test.images / np.float32(255)).unsqueeze(1)
    for line in run.epochs():
        with torch.no_grad():
            predicted = load_net(run, int(line["epoch"])).eval()(images).argmax(1).numpy()
        assert (predicted == test.labels).mean() == pytest.approx(line[accuracy_of("test")])


def test_it_is_kept_only_where_it_was_asked_for(finished):
    assert kept_epochs(finished) == []
    assert not finished.kept_epochs.exists()


def test_what_is_resumed_keeps_what_it_was_begun_to_keep(digits, options, tmp_path):
    spec = digits(epochs=3, ema=0.9)
    whole = execute(spec, replace(options, root=tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        execute(spec, options, Interrupt())
    (run,) = options.store.all()
    assert kept_epochs(run) == [0, 1]
    (run.kept_epochs / ".epoch-000002.safetensors.tmp").touch()  # as a kill leaves it
    execute(spec, replace(options, keep_epochs=False), resume=run)
    assert files_of(run) == files_of(whole)
    assert kept_epochs(run) == [0, 1, 2, 3]
    assert not list(run.kept_epochs.glob(".*"))


def test_a_run_that_begins_to_keep_later_keeps_from_there_on(digits, options):
    with pytest.raises(KeyboardInterrupt):
        execute(digits(), replace(options, keep_epochs=False), Interrupt())
    (run,) = options.store.all()
    execute(digits(), options, resume=run)
    assert kept_epochs(run) == [2]


def test_a_longer_run_keeps_what_the_one_before_kept(digits, options, tmp_path):
    whole = execute(digits(epochs=3), replace(options, root=tmp_path / "whole"))
    earlier = execute(digits(epochs=2), options)
    longer = execute(digits(epochs=3), replace(options, keep_epochs=False), resume=earlier)
    assert longer.path != earlier.path
    assert files_of(longer) == files_of(whole)


def test_an_epoch_of_which_there_is_no_line_does_not_count(digits, options):
    run = execute(digits(), options)
    run.write_epochs(run.epochs()[:1])  # as if killed before the second was written down
    assert kept_epochs(run) == [0, 1]


def test_a_damaged_epoch_is_told(digits, options):
    run = execute(digits(), options)
    file = run.kept_epochs / "epoch-000001.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\xff")
    with pytest.raises(CheckpointError, match=r"epoch-000001\.safetensors: damaged"):
        load_net(run, 1)
