"""What `import lenetctl` offers to notebooks and scripts: plain functions on specs and runs."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from lenetctl import artifacts
from lenetctl.analysis import activations as inspection
from lenetctl.analysis.activations import Activations
from lenetctl.analysis.comparison import Comparison, compare_runs
from lenetctl.data.dataset import load_dataset
from lenetctl.errors import LenetctlError, TrackingError
from lenetctl.runs.callbacks import RunCallback
from lenetctl.runs.evaluate import evaluate_run
from lenetctl.runs.execute import execute
from lenetctl.runs.folder import Run
from lenetctl.runs.options import RunOptions
from lenetctl.runs.records import EvaluationRecord
from lenetctl.runs.store import ROOT, RunStore
from lenetctl.runs.weights import load_model
from lenetctl.specs import Spec, load_spec
from lenetctl.tracking.check import check_store
from lenetctl.tracking.failures import useful_line
from lenetctl.tracking.publish import publish as publish_run
from lenetctl.tracking.store import open_client
from lenetctl.tracking.uri import choose_uri, redacted
from lenetctl.training import EngineName

__all__ = [
    "Activations",
    "Comparison",
    "LenetctlError",
    "Run",
    "RunCallback",
    "Spec",
    "activations",
    "compare",
    "evaluate",
    "list_runs",
    "load_model",
    "load_spec",
    "open_run",
    "publish",
    "train",
]

Weights = Literal["last", "best"]
Split = Literal["test", "validation", "train"]


class _Warn(RunCallback):
    def on_warning(self, message: str) -> None:
        warnings.warn(message, stacklevel=2)


def train(
    spec: Spec,
    callback: RunCallback | None = None,
    *,
    device: str = "auto",
    engine: Literal["auto", EngineName] = "auto",
    data_dir: str | Path | None = None,
    experiment: str = "lenet",
    root: str | Path = ROOT,
) -> Run:
    """Train `spec` to its end and return the run, which `publish` brings into MLflow.

    Args:
        spec: what `load_spec` returns.
        callback: hears how it goes; by default only warnings are heard, as Python's.
        device: auto, cpu, cuda, cuda:N or mps.
        engine: how a step is run.
        data_dir: the data folder; by default LENETCTL_DATA, else the user's cache folder.
        experiment: MLflow's experiment to put the run in.
        root: where run folders are.

    Raises:
        UsageError: a device or an engine that cannot run this here, or a folder not to be written.
        DataError: the data are missing or damaged.
        BusyError: another process trains the same experiment.
        DivergedError: the loss stopped being a number.
        ResourceError: memory ran out.

    """
    options = RunOptions(
        root=Path(root),
        data_dir=_path(data_dir),
        device=device,
        engine=engine,
        experiment=experiment,
    )
    return execute(spec, options, callback or _Warn())


def list_runs(root: str | Path = ROOT) -> list[Run]:
    """Return every run of the folder `root`, the oldest first, finished or not."""
    return RunStore(Path(root)).all()


def open_run(name: str | Path, root: str | Path = ROOT) -> Run:
    """Return a run by its folder, its name, MLflow's id, a prefix of these, or `latest`.

    Raises:
        NotFoundError: no run, or several, answer to it.

    """
    return RunStore(Path(root)).find(str(name))


def evaluate(
    run: Run,
    dataset: str | None = None,
    split: Split = "test",
    weights: Weights | None = None,
    *,
    tta: bool = False,
    data_dir: str | Path | None = None,
    device: str = "auto",
) -> EvaluationRecord:
    """Measure a run: mean cross-entropy in nats, accuracy, classes and confusion (rows: truth).

    Args:
        run: one with a checkpoint.
        dataset: a data set by name; by default the run's own.
        split: `validation` only where the run held images out.
        weights: by default `best` where a validation split chose them, else `last`.
        tta: average the probabilities of an image and its mirror image.
        data_dir: as for `train`.
        device: as for `train`.

    Raises:
        UsageError: no such data set, split or device.
        CheckpointError: weights that are missing, damaged or of another net.
        DataError: the data are missing or damaged.

    """
    return evaluate_run(run, dataset, split, weights, _path(data_dir), device, tta=tta)


def compare(
    runs: Iterable[Run],
    metric: str | None = None,
    control: str | None = None,
    group_by: str | None = None,
) -> Comparison:
    """Rank runs, grouped over seeds; of repeated runs the newest with a result counts.

    Args:
        runs: one or more.
        metric: by default validation accuracy where every run held images out, else test accuracy.
        control: the group that others are measured against; by default `baseline` if there is one.
        group_by: a key of the spec, such as `model.pool.kind`, to group by its values instead.

    Raises:
        NotFoundError: none of the runs has finished.
        UsageError: no run measured `metric`, no group is `control`, no spec has the key `group_by`.

    """
    return compare_runs(dict.fromkeys(runs), metric, group_by, control)


def activations(
    net: Run | Spec,
    classes: Sequence[str | int] | None = None,
    per_class: int = 2,
    layers: Sequence[str | int] | None = None,
    pictures: Sequence[str | Path] = (),
    *,
    weights: Weights | None = None,
    data_dir: str | Path | None = None,
) -> Activations:
    """Show R inputs to a net: what its layers make of them, and what it takes each of them for.

    The result has `inputs.images`, bytes (R, 28, 28); `layers`, by name (R, C, H, W) or
    (R, features); and R `predictions`.

    Args:
        net: a run; or a spec, for the net as training would begin with it.
        classes: names or numbers; by default pullover and coat, or the first two.
        per_class: how many test images of each class, the first ones.
        layers: names as in the plan; or numbers, where N is the Nth convolution or dense layer,
            once it is activated; by default 1 and 2.
        pictures: image files of your own, shown after the test images.
        weights: of a run, as for `evaluate`.
        data_dir: as for `train`.

    Raises:
        UsageError: no such class or layer, a picture that cannot be read, or nothing to show.
        CheckpointError: weights that are missing, damaged or of another net.
        DataError: the data are missing or damaged.

    """
    if isinstance(net, Run):
        inspected = inspection.InspectedNet.trained(net, weights)
    else:
        inspected = inspection.InspectedNet.untrained(net)
    wanted = inspection.choose_layers(inspected.spec, _names(layers))
    dataset = load_dataset(inspected.spec.data, _path(data_dir))
    files = [Path(picture) for picture in pictures]
    inputs = inspection.choose_inputs(dataset, _names(classes), per_class, files)
    return inspection.compute_activations(inspected, dataset, inputs, wanted)


def publish(run: Run, tracking_uri: str | None = None) -> str:
    """Bring MLflow up to date with a run and return its id there; a second time changes nothing.

    Args:
        run: finished or not.
        tracking_uri: by default MLFLOW_TRACKING_URI, else the `mlflow.db` of the run's project.

    Raises:
        UsageError: there is no such store, or it will never take a run.
        TrackingError: the store cannot be reached or written; call again later.

    """
    uri = choose_uri(tracking_uri, run)
    check_store(uri)
    try:
        if run.is_finished:
            artifacts.draw(run)
        publish_run(open_client(uri), uri, run)
    except LenetctlError:
        raise
    except Exception as error:
        where = f"{redacted(uri)} is not up to date with {run.path.name}"
        raise TrackingError(f"{where}: {useful_line(error)}") from error
    return str(run.published.run_id)


def _path(text: str | Path | None) -> Path | None:
    return None if text is None else Path(text)


def _names(wanted: Sequence[str | int] | None) -> list[str] | None:
    return None if wanted is None else [str(name) for name in wanted]
