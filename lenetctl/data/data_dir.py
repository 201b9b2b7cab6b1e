"""Where the files of the published data sets are, and whether they are undamaged."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray
from platformdirs import user_cache_path

from lenetctl.data import idx
from lenetctl.data.catalog import CATALOG, DatasetFile
from lenetctl.data.images import DIGIT_CONVENTION, MNIST_CONVENTION, ImageConvention
from lenetctl.data.raw import LabelledImages, RawDataset
from lenetctl.errors import DataError

CENTRED = {"mnist", "qmnist"}  # whose digits were fitted into a box and centred


@dataclass(frozen=True)
class FileState:
    """The state of one file of a data set; `unverified`: whole, but no digest of it is known."""

    path: Path
    state: Literal["ok", "missing", "damaged", "unverified"]
    bytes: int
    problem: str | None = None  # what is wrong and how to mend it


def choose_data_dir(option: Path | None = None) -> Path:
    """Return the data folder: the option, else LENETCTL_DATA, else the user's cache folder."""
    chosen = option or os.environ.get("LENETCTL_DATA")
    return Path(chosen).expanduser() if chosen else user_cache_path("lenetctl")


def is_complete(name: str, data_dir: Path) -> bool:
    """Return whether every file of `name` is there, whatever it holds."""
    return all(_find(name, file, data_dir) for file in CATALOG[name].files)


def read_published(name: str, data_dir: Path) -> RawDataset:
    """Return the data set `name`, each file checked against its SHA-256 where one is known.

    Raises:
        DataError: a file is missing or damaged.

    """
    info = CATALOG[name]
    arrays = [_read(name, file, data_dir) for file in info.files]
    labels = [array if array.ndim == 1 else array[:, 0] for array in arrays[1::2]]
    images = [array.transpose(0, 2, 1) if info.is_transposed else array for array in arrays[::2]]
    train, test = map(LabelledImages, images, labels)
    return RawDataset(info.classes, train, test, convention_of(name))


def convention_of(name: str) -> ImageConvention:
    """Return how the images of a published data set were made."""
    return DIGIT_CONVENTION if name in CENTRED else MNIST_CONVENTION


def file_states(name: str, data_dir: Path) -> list[FileState]:
    """Return the state of each file of `name`, which is read in full for that."""
    return [_file_state(name, file, data_dir) for file in CATALOG[name].files]


def missing_error(name: str, data_dir: Path, failure: str = "") -> DataError:
    """Return the error for a data set that is not there, with all the ways out."""
    fetching = f" and fetching it failed ({failure})" if failure else ""
    return DataError(
        f"no complete {name} in {data_dir / CATALOG[name].folder}{fetching}: run "
        f"`lenetctl data fetch {name}` on a machine with a network, copy the folder here and set "
        "LENETCTL_DATA to it; `lenetctl train experiments/quickstart.yaml` needs no data"
    )


def _find(name: str, file: DatasetFile, data_dir: Path) -> Path | None:
    raw = data_dir / CATALOG[name].folder
    # some copies have a dot in the name; Kaggle's have each file in a folder of its own name
    names = (file.name, file.name.replace("-idx", ".idx"))
    candidates = (raw / path for n in names for path in (n, f"{n}.gz", f"{n}/{n}"))
    # unlike Path.is_file, os.path.isfile raises for no path
    return next((path for path in candidates if os.path.isfile(path)), None)  # noqa: PTH113


def _read(name: str, file: DatasetFile, data_dir: Path) -> NDArray[Any]:
    path = _find(name, file, data_dir)
    if path is None:
        raise missing_error(name, data_dir)
    again = f"fetch it again with `lenetctl data fetch {name}`"
    expected = f"expected SHA-256 {file.sha256}; {again}" if file.sha256 else again
    try:
        array, sha256 = idx.read_idx(path, file.item, file.dtype)
    except DataError as error:
        raise DataError(f"{error}; {expected}") from error
    if file.sha256 not in (None, sha256):
        raise DataError(f"{path}: SHA-256 is {sha256}; {expected}")
    return array


def _file_state(name: str, file: DatasetFile, data_dir: Path) -> FileState:
    path = _find(name, file, data_dir)
    if path is None:
        raw = data_dir / CATALOG[name].folder / file.name
        return FileState(raw, "missing", 0, str(missing_error(name, data_dir)))
    size = path.stat().st_size
    try:
        _read(name, file, data_dir)
    except DataError as error:
        return FileState(path, "damaged", size, str(error))
    return FileState(path, "ok" if file.sha256 else "unverified", size)
