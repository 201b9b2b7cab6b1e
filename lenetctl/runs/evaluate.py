"""A trained run measured again, on any split of any data set of the family."""

from pathlib import Path
from typing import Any

from lenetctl.data.dataset import load_dataset
from lenetctl.data.device import DeviceSplit
from lenetctl.errors import UsageError
from lenetctl.runs.folder import Run
from lenetctl.runs.weights import read_weights
from lenetctl.specs.schema import DataSpec
from lenetctl.training import device as devices
from lenetctl.training.evaluate import evaluate
from lenetctl.training.state import copy_weights as fill
from lenetctl.training.state import initial_state


@devices.memory_explained()
def evaluate_run(
    run: Run,
    dataset: str | None,
    split: str,
    weights: str | None,
    data_dir: Path | None,
    device: str,
) -> dict[str, Any]:
    """Return what `eval --json` prints; an undefined precision is None.

    Raises:
        UsageError: an unknown data set, or a split that the run does not have.
        CheckpointError: weights that are missing, damaged or of another net.
        ResourceError: memory ran out.

    """
    spec = run.spec()
    own = read_weights(run, weights)
    if dataset not in (None, spec.data.dataset):
        spec = spec.model_copy(update={"data": _other(spec.data, str(dataset))})
    where = devices.select_device(device)
    loaded = load_dataset(spec.data, data_dir)
    images = getattr(loaded, split)
    if images is None:
        raise UsageError(f"--split validation: {run.path.name} held no images out")
    trained_on = run.record["data"]  # another set's images are normalised as the net knows them
    part = DeviceSplit(images, where, trained_on["mean"], trained_on["std"])
    net = initial_state(spec, where).net  # laid out as in training, for the same bits
    fill(net, own)
    with devices.numerics(spec.training):
        measured = evaluate(net, part)
    confusion = measured.confusion
    truth, guesses, right = confusion.sum(1), confusion.sum(0), confusion.diagonal()
    return {
        "run_id": run.published.get("run_id"),
        "name": run.name,
        "dataset": loaded.name,
        "split": split,
        "weights": weights or ("best" if run.best.exists() else "last"),
        "loss": measured.loss,
        "accuracy": measured.accuracy,
        "per_class": {
            name: {
                "precision": float(right[i] / guesses[i]) if guesses[i] else None,
                "recall": float(right[i] / truth[i]) if truth[i] else None,
                "count": int(truth[i]),
            }
            for i, name in enumerate(loaded.classes)
        },
        "confusion": confusion.tolist(),
    }


def _other(data: DataSpec, dataset: str) -> DataSpec:
    try:
        return DataSpec(dataset=dataset, normalize=data.normalize, validation=data.validation)  # type: ignore[arg-type]
    except ValueError:
        raise UsageError(
            f"--dataset {dataset}: no such data set (see lenetctl data list)"
        ) from None
