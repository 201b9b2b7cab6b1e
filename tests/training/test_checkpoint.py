import hashlib
import json
import pickle
import struct

import pytest
import torch
from helpers.strategies import FUZZ
from hypothesis import given, settings
from hypothesis import strategies as st

from lenetctl.errors import CheckpointError
from lenetctl.training.checkpoint import (
    read_checkpoint,
    read_newest_checkpoint,
    write_checkpoint,
    write_epoch_checkpoint,
)

TENSORS = {
    "net.weight": torch.arange(6, dtype=torch.float32).view(2, 3),
    "net.steps": torch.tensor(7),
    "half": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    "empty": torch.zeros(0, 4),
}


def assert_same(tensors):
    assert tensors.keys() == TENSORS.keys()
    for name, value in TENSORS.items():
        assert tensors[name].dtype == value.dtype
        assert torch.equal(tensors[name], value)


def planted(path, content):
    """Write `content` as whoever can write both files would, with a digest that agrees."""
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    path.with_suffix(".json").write_text(json.dumps({"sha256": digest}))
    return path


def header(shape, size, dtype="F32"):
    entry = {"w": {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}}
    text = json.dumps(entry).encode()
    return struct.pack("<Q", len(text)) + text


@pytest.fixture
def path(tmp_path):
    return tmp_path / "last.safetensors"


def test_what_was_saved_is_loaded(path):
    write_checkpoint(path, TENSORS, epoch=3, history=[{"train/loss": 0.1}])
    loaded = read_checkpoint(path)
    assert loaded.path == path
    assert_same(loaded.tensors)
    assert loaded.numbers["epoch"] == 3
    assert loaded.numbers["history"] == [{"train/loss": 0.1}]


def test_the_layout_in_memory_does_not_matter(path):
    image = torch.randn(2, 3, 4, 5)
    write_checkpoint(
        path, {"last": image.to(memory_format=torch.channels_last), "view": image[:, 1].mT}
    )
    tensors = read_checkpoint(path).tensors
    assert torch.equal(tensors["last"], image)
    assert torch.equal(tensors["view"], image[:, 1].mT)


def test_two_are_kept_and_the_newest_is_loaded(tmp_path):
    folder = tmp_path / "checkpoints"
    for epoch in range(1, 13):
        write_epoch_checkpoint(folder, TENSORS, epoch, best_epoch=1)
    stems = ["epoch-000011", "epoch-000012"]
    names = [f"{stem}.{suffix}" for stem in stems for suffix in ("json", "safetensors")]
    assert sorted(p.name for p in folder.iterdir()) == names
    last, warnings = read_newest_checkpoint(folder)
    assert (last.numbers["epoch"], last.numbers["best_epoch"], warnings) == (12, 1, [])


def test_an_empty_folder_has_no_checkpoint(tmp_path):
    assert read_newest_checkpoint(tmp_path) == (None, [])
    assert read_newest_checkpoint(tmp_path / "none") == (None, [])


def cut(path):
    path.write_bytes(path.read_bytes()[:-5])


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[-3] ^= 0x10
    path.write_bytes(content)


DAMAGES = {
    "torn": cut,
    "flipped bit": flip_a_bit,
    "empty": lambda path: path.write_bytes(b""),
    "no numbers yet": lambda path: path.with_suffix(".json").unlink(),
    "torn numbers": lambda path: cut(path.with_suffix(".json")),
    "numbers of another kind": lambda path: path.with_suffix(".json").write_text("[1]"),
    "numbers without a digest": lambda path: path.with_suffix(".json").write_text("{}"),
    "deep numbers": lambda path: path.with_suffix(".json").write_text("[" * 100_000),
    "binary numbers": lambda path: path.with_suffix(".json").write_bytes(b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path, damage):
    for epoch in (1, 2):
        write_epoch_checkpoint(tmp_path, TENSORS, epoch)
    newest = tmp_path / "epoch-000002.safetensors"
    DAMAGES[damage](newest)
    with pytest.raises(CheckpointError, match="epoch-000002"):
        read_checkpoint(newest)
    last, (warning,) = read_newest_checkpoint(tmp_path)
    assert last.numbers["epoch"] == 1
    assert_same(last.tensors)
    assert "epoch-000002" in warning
    assert "\n" not in warning


def test_with_all_damaged_there_is_none(tmp_path):
    for epoch in (1, 2):
        write_epoch_checkpoint(tmp_path, TENSORS, epoch)
        flip_a_bit(tmp_path / f"epoch-00000{epoch}.safetensors")
    last, warnings = read_newest_checkpoint(tmp_path)
    assert last is None
    assert len(warnings) == 2


def test_a_missing_one_is_named(path):
    with pytest.raises(CheckpointError, match=r"last\.(json|safetensors): there is no such file"):
        read_checkpoint(path)


def test_saving_over_an_old_one_never_pairs_old_with_new(path, monkeypatch):
    write_checkpoint(path, TENSORS, epoch=1)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lenetctl.training.checkpoint.write_whole", full)
    with pytest.raises(OSError, match="No space"):
        write_checkpoint(path, TENSORS, epoch=2)
    with pytest.raises(CheckpointError):
        read_checkpoint(path)


def test_a_file_left_half_written_is_removed(tmp_path):
    torn = tmp_path / ".epoch-000001.safetensors-x1.tmp"  # as a SIGKILL leaves it
    torn.write_bytes(b"half")
    assert read_newest_checkpoint(tmp_path) == (None, [])
    write_epoch_checkpoint(tmp_path, TENSORS, 1)
    assert not torn.exists()


class Bomb:
    def __reduce__(self):
        return exec, ("import builtins; builtins.lenetctl_was_here = True",)


def test_a_pickle_is_refused_and_not_run(path):
    import builtins

    planted(path, pickle.dumps(Bomb()))
    with pytest.raises(CheckpointError):
        read_checkpoint(path)
    torch.save({"w": torch.ones(1), "bomb": Bomb()}, path)
    planted(path, path.read_bytes())
    with pytest.raises(CheckpointError):
        read_checkpoint(path)
    assert not hasattr(builtins, "lenetctl_was_here")


@pytest.mark.parametrize(
    "content",
    [
        struct.pack("<Q", 2**62) + b"{}",
        header([2**40], 0),
        header([2**40], 2**42),
        header([0, 2**62, 2**62], 0),
        header([2**64 - 1, 0], 0),
        header([1], 1, "F4"),
        header([-1], 4) + b"1234",
        b"",
    ],
    ids=["header", "tensor", "offsets", "strides", "size", "type", "negative", "nothing"],
)
def test_a_giant_or_impossible_claim_is_refused(path, content):
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        read_checkpoint(planted(path, content))


def test_a_giant_file_is_refused_unread(path):
    write_checkpoint(path, TENSORS)
    with path.open("r+b") as file:
        file.truncate(9 << 30)  # sparse: it takes no room on the disk
    with pytest.raises(CheckpointError, match="larger than any net"):
        read_checkpoint(path)


@st.composite
def edits(draw):
    """A function that changes bytes somewhere: overwrites, cuts, inserts."""
    at, length = draw(st.floats(0, 1)), draw(st.integers(0, 12))
    new = draw(st.binary(max_size=12))

    def edit(content):
        start = int(at * len(content))
        return content[:start] + new + content[start + length :]

    return edit


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "good.safetensors"
    write_checkpoint(path, TENSORS, epoch=1)
    return (
        path.read_bytes(),
        path.with_suffix(".json").read_bytes(),
        path.with_name("bad.safetensors"),
    )


@pytest.mark.fuzz
@settings(max_examples=3 * FUZZ, deadline=None)
@given(edits(), st.booleans())
def test_changed_bytes_give_the_same_tensors_or_an_error(saved, edit, of_numbers):
    tensors, numbers, path = saved
    path.write_bytes(tensors if of_numbers else edit(tensors))
    path.with_suffix(".json").write_bytes(edit(numbers) if of_numbers else numbers)
    try:
        loaded = read_checkpoint(path)
    except CheckpointError:
        return
    assert_same(loaded.tensors)


@pytest.mark.fuzz
@settings(max_examples=3 * FUZZ, deadline=None)
@given(edits())
def test_changed_bytes_with_a_digest_that_agrees_give_tensors_or_an_error(saved, edit):
    tensors, _, path = saved
    planted(path, edit(tensors))
    try:
        loaded = read_checkpoint(path)
    except CheckpointError:
        return
    assert all(isinstance(value, torch.Tensor) for value in loaded.tensors.values())
