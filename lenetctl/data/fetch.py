"""Downloading the known data sets, through torchvision."""

import errno
import socket
import sys
import zlib
from contextlib import redirect_stdout
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lenetctl.data.catalog import CATALOG, DatasetInfo
from lenetctl.data.data_dir import file_states, missing_error
from lenetctl.errors import DataError, ResourceError

TIMEOUT = 20  # seconds without an answer
FAILURES = (OSError, EOFError, HTTPException, ImportError, RuntimeError, ValueError, zlib.error)


def fetch_dataset(name: str, data_dir: Path, mirror: str | None = None) -> None:
    """Download the data set `name`, unless it is there and whole; progress goes to stderr.

    Args:
        name: one of the catalog's.
        data_dir: where it goes, in torchvision's layout. Files appear whole or not at all.
        mirror: address of a folder with the compressed files, instead of the publisher's.

    Raises:
        DataError: the folder cannot be written, or the download failed or is damaged.
        ResourceError: the disk is full.

    """
    states = file_states(name, data_dir)
    if not any(file.problem for file in states):
        return
    if blocked := next((file.path for file in states if file.path.is_dir()), None):
        raise DataError(f"{blocked}: is a folder where a file of {name} belongs: move it away")
    info = CATALOG[name]
    target = data_dir / info.folder
    try:
        target.mkdir(parents=True, exist_ok=True)
        scratch = TemporaryDirectory(prefix=".fetch-", dir=target)
    except OSError as error:
        remedy = "choose another folder with --data-dir or LENETCTL_DATA"
        raise DataError(f"{target}: cannot be written ({error.strerror}): {remedy}") from error
    with scratch as folder:
        try:
            _download(info, folder, mirror)
        except FAILURES as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise ResourceError(f"{target}: no space left on its disk for {name}") from error
            raise missing_error(name, data_dir, " ".join(str(error).split())) from error
        fetched = file_states(name, Path(folder))
        if problems := [file.problem for file in fetched if file.problem]:
            raise missing_error(name, data_dir, problems[0])
        for file in fetched:
            file.path.replace(target / file.path.name)


def _download(info: DatasetInfo, folder: str, mirror: str | None) -> None:
    """Let torchvision download, check (MD5) and unpack the archives below `folder`."""
    from torchvision import datasets  # type: ignore[import-untyped]  # noqa: PLC0415  takes 8 s

    base = getattr(datasets, info.torchvision)
    attributes: dict[str, Any] = {}
    if mirror:
        prefix = f"{mirror.rstrip('/')}/"
        attributes["mirrors"] = [prefix]
        if info.split:  # one archive of all splits
            attributes["url"] = prefix + base.url.rpartition("/")[2]
        elif isinstance(base.resources, dict):  # QMNIST's: whole addresses, for each split
            attributes["resources"] = {
                split: [(prefix + address.rpartition("/")[2], md5) for address, md5 in files]
                for split, files in base.resources.items()
            }
    dataset = type(
        info.torchvision, (base,), attributes
    )  # of the same name, because its folder is too
    split = [info.split] if info.split else []
    default_timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)  # torchvision sets none
    try:
        with redirect_stdout(sys.stderr):
            for train in (True, False):
                dataset(folder, *split, train=train, download=True)
    finally:
        socket.setdefaulttimeout(default_timeout)
