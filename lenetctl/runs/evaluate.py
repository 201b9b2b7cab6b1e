"""A trained run measured again, on any split of any data set of the family."""

from pathlib import Path

from lenetctl.data.dataset import Dataset, load_dataset, numbered_as
from lenetctl.data.device import DeviceSplit
from lenetctl.errors import UsageError
from lenetctl.runs.folder import Run
from lenetctl.runs.records import ClassRecord, EvaluationRecord, confusion_of
from lenetctl.runs.weights import default_weights, load_net
from lenetctl.specs.schema import DataSpec
from lenetctl.training.device import memory_explained, numerics, select_device
from lenetctl.training.evaluate import Evaluation, evaluate

SPLITS = ("test", "validation", "train")


@memory_explained()
def evaluate_run(
    run: Run,
    dataset: str | None,
    split: str,
    weights: str | None,
    data_dir: Path | None,
    device: str,
) -> EvaluationRecord:
    """Return what the run's net makes of a split; None stands for the spec's own data set.

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
    is_own = dataset in (None, spec.data.dataset)
    data = spec.data if is_own else _other(spec.data, str(dataset))
    loaded = load_dataset(data, data_dir, limit_keeps=run.record.data.limit_keeps)
    if is_own and run.classes:  # a folder's classes can have changed since
        loaded = numbered_as(loaded, run.classes)
    images = getattr(loaded, split)
    if images is None:
        raise UsageError(f"--split validation: {run.path.name} held no images out")
    known = run.record.data  # another set's images are normalised as the net knows them
    with numerics(spec.training):
        measured = evaluate(net, DeviceSplit(images, where, known.mean, known.std))
    return EvaluationRecord(
        run_id=run.published.run_id,
        name=run.name,
        dataset=loaded.name,
        split=split,
        weights=weights or default_weights(run),
        loss=measured.loss,
        accuracy=measured.accuracy,
        per_class=_per_class(measured, loaded),
        confusion=confusion_of(measured.confusion, len(loaded.classes)).tolist(),
    )


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
            f"--dataset {dataset}: no such data set (see lenetctl data list)"
        ) from None
