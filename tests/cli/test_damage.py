"""Damaged and hostile files, as a user meets them: one line and the right exit code."""

import builtins
import gzip
import hashlib
import json
import pickle
import shutil
import struct

import numpy as np
import pytest
import safetensors.numpy

from lenetctl.data.catalog import CATALOG
from lenetctl.runs.store import ROOT, RunStore

FASHION = CATALOG["fashion_mnist"]


@pytest.fixture
def trained(lenetctl, write):
    assert lenetctl("train", write(), "-q").code == 0
    return RunStore().all()[0]


@pytest.fixture
def interrupted(trained):
    """The run as if it had been killed after its last epoch."""
    trained.set_status("KILLED", "killed")
    return trained


def newest(run):
    return max(run.checkpoints.glob("*.safetensors"))


def plant(run, content):
    """Put `content` in place of the newest checkpoint, with a digest that agrees."""
    path = newest(run)
    path.write_bytes(content)
    numbers = json.loads(path.with_suffix(".json").read_text())
    digest = {"sha256": hashlib.sha256(content).hexdigest()}
    path.with_suffix(".json").write_text(json.dumps(numbers | digest))


def refused(result, code, *words):
    assert result.code == code, result.err
    assert "Traceback" not in result.err
    (line,) = [line for line in result.err.splitlines() if line.startswith("error: ")]
    for word in words:
        assert word in line


def test_a_flipped_bit_is_4_for_eval_and_resuming_falls_back(lenetctl, interrupted):
    path = newest(interrupted)
    content = bytearray(path.read_bytes())
    content[-3] ^= 0x10
    path.write_bytes(content)
    refused(lenetctl("eval", "latest", "--no-log"), 4, path.name, "damaged")
    result = lenetctl("train", "--resume", "latest")
    assert result.code == 0, result.err
    assert f"warning: {path}: damaged" in result.err
    assert "resumed after epoch 1" in result.out


class Bomb:
    def __reduce__(self):
        return exec, ("import builtins; builtins.lenetctl_was_here = True",)


def giant():
    entry = {"w": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}
    text = json.dumps(entry).encode()
    return struct.pack("<Q", len(text)) + text


def hostile_name():
    return safetensors.numpy.save({"net.\x1b[31m\nerror: x": np.zeros(1, np.float32)})


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (pickle.dumps(Bomb()), "not a checkpoint"),
        (giant(), "not a checkpoint"),
        (hostile_name(), "\\x1b[31m\\nerror: x is 1, expected none"),
    ],
    ids=["pickle", "giant", "name"],
)
def test_a_hostile_checkpoint_is_4_and_runs_nothing(lenetctl, interrupted, content, word):
    plant(interrupted, content)
    refused(lenetctl("eval", "latest", "--no-log"), 4, word)
    assert not hasattr(builtins, "lenetctl_was_here")
    assert "\x1b" not in lenetctl("train", "--resume", "latest").err
    assert not hasattr(builtins, "lenetctl_was_here")


def test_weights_of_another_net_are_4_with_the_differences(lenetctl, interrupted):
    tensors = safetensors.numpy.load_file(newest(interrupted))
    name = next(name for name in tensors if tensors[name].shape == (6, 1, 5, 5))
    tensors[name] = np.zeros((6, 1, 3, 3), np.float32)
    plant(interrupted, safetensors.numpy.save(tensors))
    difference = f"{name.removeprefix('net.')} is 6×1×3×3, expected 6×1×5×5"
    refused(lenetctl("eval", "latest", "--no-log"), 4, difference)
    refused(lenetctl("train", "--resume", "latest"), 4, difference)


def test_a_dead_run_is_ended_by_eval(lenetctl, trained):
    trained.set_status("RUNNING")
    assert lenetctl("eval", "latest", "--no-log").code == 0
    assert trained.status.state == "KILLED"


@pytest.fixture
def fashion(tmp_path):
    """Files under the names of Fashion-MNIST's, all of them wrong in some way."""
    raw = tmp_path / "data" / FASHION.folder
    raw.mkdir(parents=True)
    for file in FASHION.files:
        (raw / file.name).write_bytes(b"PK\x03\x04")
    return raw / FASHION.files[0].name


def truncated(images):
    images.write_bytes(struct.pack(">4I", 0x803, 60_000, 28, 28) + bytes(1000))


def truncated_archive(images):
    images.unlink()
    images.with_name(f"{images.name}.gz").write_bytes(gzip.compress(bytes(10_000))[:-9])


@pytest.mark.parametrize("damage", [lambda images: None, truncated, truncated_archive])
def test_damaged_data_are_3_with_file_digest_and_remedy(lenetctl, write, fashion, damage):
    damage(fashion)
    result = lenetctl("train", write("data: {dataset: fashion_mnist}"))
    words = (str(fashion), FASHION.files[0].sha256, "lenetctl data fetch fashion_mnist")
    refused(result, 3, *words)
    assert not ROOT.exists()


@pytest.mark.realdata
def test_one_flipped_byte_of_the_data_is_3(lenetctl, write, real_data, tmp_path):
    raw = tmp_path / "flipped" / FASHION.folder
    shutil.copytree(real_data / FASHION.folder, raw)
    labels = raw / FASHION.files[1].name
    content = bytearray(labels.read_bytes())
    content[30_000] ^= 1
    labels.write_bytes(content)
    spec = write("data: {dataset: fashion_mnist}")
    result = lenetctl("train", spec, "--data-dir", tmp_path / "flipped")
    refused(result, 3, str(labels), "SHA-256", FASHION.files[1].sha256)
    assert not ROOT.exists()


def test_labels_out_of_range_are_3_before_any_training(lenetctl, write, tmp_path):
    known = CATALOG["kmnist"]
    raw = tmp_path / "data" / known.folder
    raw.mkdir(parents=True)
    for i, file in enumerate(known.files):
        shape = (4, *file.item)
        header = bytes((0, 0, 8, len(shape))) + struct.pack(f">{len(shape)}I", *shape)
        (raw / file.name).write_bytes(header + bytes([10 * (i % 2)]) * int(np.prod(shape)))
    result = lenetctl("train", write("data: {dataset: kmnist}"))
    refused(result, 3, "kmnist", "labels from 10 to 10")
    assert not ROOT.exists()
