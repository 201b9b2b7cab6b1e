import shutil

import pytest
import torch

from lenetctl.errors import CheckpointError
from lenetctl.model.build import build_model
from lenetctl.runs.execute import execute
from lenetctl.runs.folder import Run
from lenetctl.runs.options import RunOptions
from lenetctl.runs.weights import read_weights


@pytest.fixture
def copied(finished, tmp_path):
    return Run(shutil.copytree(finished.path, tmp_path / "run"))


def test_weights_fit_the_net_of_the_spec(finished):
    net = build_model(finished.spec().model, seed=0)
    net.load_state_dict(read_weights(finished, "last"))


def test_a_checkpoint_that_was_not_written_to_its_end_counts_for_nothing(copied):
    before = read_weights(copied)
    torn = copied.checkpoints / "epoch-000003.safetensors"
    torn.write_bytes(b"without its numbers")
    after = read_weights(copied)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_best_is_the_default_where_validation_chose(validated):
    default, best = read_weights(validated), read_weights(validated, "best")
    assert all(torch.equal(default[name], best[name]) for name in best)


def test_averages_stand_in_for_the_weights_that_they_are_of(digits, tmp_path):
    averaged = execute(digits(ema=0.9), RunOptions(tmp_path / "ema", device="cpu"))
    plain = execute(digits(), RunOptions(tmp_path / "plain", device="cpu"))
    one, other = read_weights(averaged), read_weights(plain)
    assert one.keys() == other.keys()
    assert not torch.equal(one["conv1.weight"], other["conv1.weight"])


def test_no_checkpoint_no_weights(copied):
    shutil.rmtree(copied.checkpoints)
    with pytest.raises(CheckpointError, match="no checkpoint yet"):
        read_weights(copied)


def test_a_flipped_bit_is_noticed(copied):
    path = max(copied.checkpoints.glob("*.safetensors"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        read_weights(copied)


def test_a_pickle_in_place_of_a_checkpoint_runs_nothing(copied, tmp_path):
    path = max(copied.checkpoints.glob("*.safetensors"))
    path.write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR.")
    with pytest.raises(CheckpointError):
        read_weights(copied)
    assert not (tmp_path / "ran").exists()
