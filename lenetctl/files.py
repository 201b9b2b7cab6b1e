"""Files that appear whole or not at all, and what they may be called."""

import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(?=\.)")  # devices of Windows: nul.v2
NAME_BYTES = 200  # of the 255 that a file's name may have; identity and number follow


def write_whole(path: Path, content: bytes | str) -> None:
    """Write `content` so that a reader, or a crash, sees the old file or the new one, never half.

    Raises:
        OSError: the disk is full or the folder cannot be written; the old file is as it was.

    """
    # not tempfile's: its files are for their owner alone, and MLflow's server may be another user
    temporary = path.with_name(f".{path.name}-{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with naming(path), temporary.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):  # a disk that is read-only says so of what is not there, too
            temporary.unlink()
        raise


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Say in an OSError that it is about `path`: that of a full disk names no file."""
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        raise


def as_file_name(name: str) -> str:
    """Return `name`, a stranger's too, as every file system can write it, no letter cut in half."""
    encoding = sys.getfilesystemencoding()
    plain = re.sub(r"[^\w.+=-]", "-", RESERVED.sub(r"_\g<0>", name))
    written = plain.encode(encoding, "replace").replace(b"?", b"_")
    return written[:NAME_BYTES].decode(encoding, "ignore")
