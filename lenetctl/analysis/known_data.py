"""What a run says of its data set, for what needs no image of it."""

from pathlib import Path

import torch

from lenetctl.analysis.activations import InspectedNet
from lenetctl.data.data_dir import convention_of
from lenetctl.data.dataset import Dataset, Split, load_dataset
from lenetctl.data.images import ImageConvention
from lenetctl.runs.folder import Run

NO_IMAGES = Split(torch.empty((0, 28, 28), dtype=torch.uint8), torch.empty(0, dtype=torch.int64))


def dataset_of(inspected: InspectedNet, data_dir: Path | None, *, with_images: bool) -> Dataset:
    """Return the data set of a net; one without images is read from the run, if that tells all.

    Raises:
        DataError: the data are needed, and missing or damaged.

    """
    known = _known(inspected.run) if inspected.run and not with_images else None
    return known or load_dataset(inspected.spec.data, data_dir)


def _known(run: Run) -> Dataset | None:
    """Return the data set of `run` without images; None where an older version knew too little."""
    data, spec = run.record.data, run.spec().data
    if data.fit:
        convention = ImageConvention(data.fit, data.background, data.inverts)
    elif spec.folder is None:
        convention = convention_of(spec.dataset)
    else:
        return None
    if not run.classes:
        return None
    return Dataset(
        name=data.name,
        classes=run.classes,
        train=NO_IMAGES,
        validation=None,
        test=NO_IMAGES,
        digest=data.digest,
        mean=data.mean,
        std=data.std,
        convention=convention,
    )
