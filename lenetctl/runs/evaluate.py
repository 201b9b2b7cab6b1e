"""A trained run measured again, on any split of any data set of the family."""

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import torch

from lenetctl.data.dataset import Dataset, Split, load_dataset, numbered_as
from lenetctl.data.device import DeviceSplit
from lenetctl.data.folder import read_own_pictures
from lenetctl.errors import UsageError
from lenetctl.model.flips import FlipAverage
from lenetctl.runs.context import known_dataset
from lenetctl.runs.folder import Run
from lenetctl.runs.records import ClassRecord, EvaluationRecord, confusion_of
from lenetctl.runs.weights import default_weights, load_net
from lenetctl.specs.data import DatasetName, DataSpec
from lenetctl.training.device import memory_explained, numerics, select_device
from lenetctl.training.engines import forward_of
from lenetctl.training.evaluate import Evaluation, evaluate

SPLITS = ("test", "validation", "train")
DATASETS = get_args(DatasetName)


@memory_explained()
def evaluate_run(
    run: Run,
    dataset: str | None,
    split: str,
    weights: str | None,
    data_dir: Path | None,
    device: str,
    *,
    tta: bool = False,
) -> EvaluationRecord:
    """Return what the run's net makes of a split of a data set, or of a folder of pictures.

    None stands for the spec's own data set. With `tta` it looks at mirror images too.

    Raises:
        UsageError: unknown weights, an unknown data set, or a split that the run does not have.
        DataError: classes that the net was not trained on.
        CheckpointError: weights that are missing, damaged or of another net.
        ResourceError: memory ran out.

    """
    if split not in SPLITS:
        raise UsageError(f"--split {split}: there are {', '.join(SPLITS)}")
    spec = run.spec()
    where = select_device(device)
    net = load_net(run, weights, where)
    looking = FlipAverage(net) if tta else net
    loaded = _dataset(run, dataset, split, data_dir)
    images = getattr(loaded, split)
    if images is None:
        raise UsageError(f"--split validation: {run.path.name} held no images out")
    known = run.record.data  # another set's images are normalised as the net knows them
    with numerics(spec.training):
        # as its training evaluated it, to the same digits
        forward = None if tta else forward_of(run.record.engine, net, spec, where)
        measured = evaluate(looking, DeviceSplit(images, where, known.mean, known.std), forward)
    return EvaluationRecord(
        run_id=run.published.run_id,
        name=run.name,
        dataset=loaded.name,
        split=split,
        weights=weights or default_weights(run),
        tta=tta,
        loss=measured.loss,
        accuracy=measured.accuracy,
        per_class=_per_class(measured, loaded),
        confusion=confusion_of(measured.confusion, len(loaded.classes)).tolist(),
    )


def _dataset(run: Run, dataset: str | None, split: str, data_dir: Path | None) -> Dataset:
    data = run.spec().data
    if dataset and dataset not in DATASETS and Path(dataset).is_dir():
        return _own_pictures(run, Path(dataset), split, data_dir)
    is_own = dataset in (None, data.dataset)
    loaded = load_dataset(
        data if is_own else _other(data, str(dataset)),
        data_dir,
        limit_keeps=run.record.data.limit_keeps,
    )
    # a folder's classes can have changed since
    return numbered_as(loaded, run.classes) if is_own and run.classes else loaded


def _own_pictures(run: Run, folder: Path, split: str, data_dir: Path | None) -> Dataset:
    """Return the pictures in `folder`/CLASS, or in `folder`/`split`/CLASS, as that split."""
    known = known_dataset(run) or load_dataset(run.spec().data, data_dir)
    root = folder / split if (folder / split).is_dir() else folder
    images, labels = read_own_pictures(root, known.classes, known.convention)
    changed: dict[str, Any] = {
        "name": folder.resolve().name,
        split: Split(torch.from_numpy(images), torch.from_numpy(labels)),
    }
    return replace(known, **changed)


def _per_class(measured: Evaluation, dataset: Dataset) -> dict[str, ClassRecord]:
    confusion = measured.confusion
    truth, predicted, right = confusion.sum(1), confusion.sum(0), confusion.diagonal()
    return {
        name: ClassRecord(
            precision=float(right[i] / predicted[i]) if predicted[i] else None,
            recall=float(right[i] / truth[i]) if truth[i] else None,
            count=int(truth[i]),
        )
        for i, name in enumerate(dataset.classes)
    }


def _other(data: DataSpec, dataset: str) -> DataSpec:
    try:
        return DataSpec(dataset=dataset, normalize=data.normalize, validation=data.validation)  # type: ignore[arg-type]
    except ValueError:
        raise UsageError(
            f"--dataset {dataset}: no such data set (see lenetctl data list), and no folder"
        ) from None
