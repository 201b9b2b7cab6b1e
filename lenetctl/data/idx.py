"""Reader of IDX files, the format of MNIST and data sets like it. A file may be hostile.

IDX (LeCun, Cortes and Burges, "The MNIST database"), big-endian: two zero bytes, one byte for the
type, one for the number of dimensions, four for the size of each dimension, then the items.
"""

import gzip
import hashlib
import io
import math
import os
import struct
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenetctl.errors import DataError

TYPES = {">u1": 0x08, ">i4": 0x0C}
MAX_BYTES = 2**28  # of items; the largest file of the catalog has 47 MB


class Idx(NamedTuple):
    """What a file holds, and the SHA-256 of its uncompressed bytes."""

    array: NDArray[Any]
    sha256: str


def read_idx(path: Path, item: tuple[int, ...] = (), dtype: str = ">u1") -> Idx:
    """Return the items of shape `item` in an IDX file, raw or (named `.gz`) compressed.

    The header is checked before memory is allocated, and no more is decompressed than it claims.

    Raises:
        DataError: naming the file, whatever is wrong with it.

    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return _read(file, path, item, dtype)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be read ({reason})") from error


def _read(file: io.BufferedIOBase, path: Path, item: tuple[int, ...], dtype: str) -> Idx:
    magic = bytes((0, 0, TYPES[dtype], 1 + len(item)))
    layout = struct.Struct(f">4s{magic[3]}I")
    header = file.read(layout.size)
    if header[:4] != magic:
        raise DataError(f"{path}: begins with {header[:4].hex() or 'nothing'}, not {magic.hex()}")
    if len(header) < layout.size:
        raise DataError(f"{path}: truncated within its header")
    _, *shape = layout.unpack(header)
    if tuple(shape[1:]) != item:
        raise DataError(f"{path}: its items are of shape {tuple(shape[1:])}, not {item}")
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size > MAX_BYTES:
        raise DataError(f"{path}: its header claims {size:,} bytes, more than any known data set")
    if path.suffix != ".gz":
        actual = os.fstat(file.fileno()).st_size - layout.size
        if actual != size:
            raise DataError(
                f"{path}: truncated or too long: {actual:,} bytes, header says {size:,}"
            )
    items = bytearray(size)
    if file.readinto(items) < size or file.read(1):  # gzip checks its CRC as it meets the end
        raise DataError(f"{path}: truncated or too long: its header says {size:,} bytes")
    digest = hashlib.sha256(header)
    digest.update(items)
    return Idx(np.frombuffer(items, dtype).reshape(shape), digest.hexdigest())
