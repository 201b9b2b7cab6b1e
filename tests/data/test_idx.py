import gzip
import hashlib
import struct
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from helpers.strategies import FUZZ
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lenetctl.data import idx
from lenetctl.errors import DataError

IMAGES = np.arange(3 * 28 * 28, dtype=np.uint32).reshape(3, 28, 28).astype(np.uint8)


@pytest.fixture
def content(to_idx):
    return to_idx(IMAGES)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_reads_what_was_written_and_hashes_it_uncompressed(tmp_path, content, suffix):
    path = tmp_path / f"images{suffix}"
    path.write_bytes(gzip.compress(content) if suffix else content)
    array, sha256 = idx.read_idx(path, (28, 28))
    np.testing.assert_array_equal(array, IMAGES)
    assert array.dtype == np.uint8
    assert array.flags.writeable
    assert sha256 == hashlib.sha256(content).hexdigest()


def test_reads_the_32_bit_labels_of_qmnist(tmp_path, to_idx):
    labels = np.array([[7, -2, 300, 4, 5, 6, 7, 1 << 30]], dtype=np.int32)
    (tmp_path / "labels").write_bytes(to_idx(labels))
    np.testing.assert_array_equal(idx.read_idx(tmp_path / "labels", (8,), ">i4").array, labels)


def refused(path, content, match, **kwargs):
    path.write_bytes(content)
    with pytest.raises(DataError, match=match) as caught:
        idx.read_idx(path, **{"item": (28, 28), **kwargs})
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda c: b"", "begins with nothing"),
        (lambda c: b"PK\x03\x04" + c[4:], "begins with 504b0304, not 00000803"),
        (lambda c: c[:2] + b"\x0d" + c[3:], "begins with 00000d03"),
        (lambda c: c[:3] + b"\x01" + c[4:], "begins with 00000801"),
        (lambda c: c[:9], "truncated within its header"),
        (lambda c: c[:-1], "truncated or too long: 2,351 bytes, header says 2,352"),
        (lambda c: c + b"\0", "truncated or too long: 2,353 bytes"),
        (lambda c: c[:8] + struct.pack(">2I", 27, 28) + c[16:], r"shape \(27, 28\)"),
        (lambda c: c[:4] + b"\xff" * 4 + c[8:], "claims 3,367,254,359,280 bytes"),
    ],
)
def test_every_fault_of_a_raw_file_names_it(tmp_path, content, change, match):
    refused(tmp_path / "images", change(content), match)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda c: c, "cannot be read"),  # not compressed at all
        (lambda c: gzip.compress(c)[:-20], "cannot be read"),
        (lambda c: gzip.compress(c)[:-8] + bytes(8), "cannot be read .*CRC"),
        (lambda c: gzip.compress(c[:-1]), "truncated or too long"),
        (lambda c: gzip.compress(c + bytes(50_000_000)), "truncated or too long"),
    ],
)
def test_every_fault_of_a_compressed_file_names_it(tmp_path, content, change, match):
    refused(tmp_path / "images.gz", change(content), match)


def test_no_more_is_inflated_than_the_header_allows(tmp_path, content):
    bomb = gzip.compress(content + bytes(50_000_000))
    tracemalloc.start()
    refused(tmp_path / "images.gz", bomb, "too long")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_missing_file_and_a_folder_are_faults_of_the_data(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere", tmp_path / "nowhere.gz"):
        with pytest.raises(DataError, match="cannot be read"):
            idx.read_idx(path)


PLACES = st.integers(0, 15) | st.integers(0, 2400)  # the header as often as all the rest
EDITS = st.lists(st.tuples(PLACES, st.integers(0, 255)), max_size=8)


@pytest.mark.fuzz
@given(edits=EDITS, cut=st.integers(0, 2400), tail=st.binary(max_size=20), compress=st.booleans())
@settings(
    max_examples=3 * FUZZ,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_mutated_file_is_read_or_refused(tmp_path, content, edits, cut, tail, compress):
    path = tmp_path / ("images.gz" if compress else "images")
    mutated = bytearray(gzip.compress(content, mtime=0) if compress else content)
    for place, value in edits:
        mutated[place % len(mutated)] = value
    path.write_bytes(bytes(mutated[: cut or None]) + tail)
    with suppress(DataError):
        assert idx.read_idx(path, (28, 28)).array.shape[1:] == (28, 28)
