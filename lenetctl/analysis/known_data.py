"""The data set of a net, without its images where none is needed."""

from pathlib import Path

from lenetctl.analysis.activations import InspectedNet
from lenetctl.data.dataset import Dataset, load_dataset
from lenetctl.runs.context import known_dataset


def dataset_of(inspected: InspectedNet, data_dir: Path | None, *, with_images: bool) -> Dataset:
    """Return the data set of a net; one without images is read from the run, if that tells all.

    Raises:
        DataError: the data are needed, and missing or damaged.

    """
    known = known_dataset(inspected.run) if inspected.run and not with_images else None
    return known or load_dataset(inspected.spec.data, data_dir)
