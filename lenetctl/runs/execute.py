"""The one function that does a whole run, wherever it happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import log
from typing import Any

import torch

from lenetctl.data.dataset import Dataset, load_dataset
from lenetctl.errors import DivergedError, PrunedError
from lenetctl.runs import environment, store
from lenetctl.runs.epochs import restore_state, save_epoch
from lenetctl.runs.folder import Run
from lenetctl.runs.options import RunOptions
from lenetctl.specs.layers import CLASSES, plan_layers
from lenetctl.specs.schema import Spec
from lenetctl.training import checkpoint, device
from lenetctl.training.engines import ENGINES, choose_engine
from lenetctl.training.loop import EpochResult, Progress, Splits, evaluate_weights, train
from lenetctl.training.state import TrainingState, initial_state

# of other endings the status says it all
OUTCOMES: dict[type[BaseException], str] = {DivergedError: "diverged", PrunedError: "pruned"}
PLATEAU = log(CLASSES) - 0.02  # nats: a training loss this high at the end is guessing


class RunCallback:
    """Is told how a run goes; made to be overridden."""

    def begun(self, run: Run, spec: Spec, done: int) -> None:
        """Hear that a run with `done` finished epochs starts or goes on."""

    def progress(self, now: Progress) -> None:
        """Hear a few times a second how the epoch goes."""

    def epoch(self, run: Run, result: EpochResult) -> None:
        """Hear that an epoch is done and on disk."""

    def warn(self, message: str) -> None:
        """Hear what the user should know."""


@device.memory_explained()
def execute(
    spec: Spec, options: RunOptions, watcher: RunCallback | None = None, resume: Run | None = None
) -> Run:
    """Train `spec` to its end and return its run, FINISHED; `resume` goes on with an earlier one.

    Whatever ends it, the folder says so: DivergedError, ResourceError (memory) and other errors
    FAILED, an interrupt and a watcher's PrunedError KILLED. Errors in data, device or folder are
    raised before a run begins.
    """
    watcher = watcher or RunCallback()
    ground = RunContext.of(spec, options)
    before = resume.record["engine"] if resume else None
    images = len(ground.splits.train)
    choice = choose_engine(options.engine, spec, images, ground.device, before)
    if choice.warning:
        watcher.warn(choice.warning)
    with (
        device.numerics(spec.training),
        under_way(spec, options, ground, choice.engine, watcher, resume) as (run, state),
    ):
        step = ENGINES[choice.engine].build_step(state.net, state.optimizer, spec.training)
        for result in train(state, step, ground.splits, spec, watcher.progress):
            save_epoch(run, state, result, validated=ground.splits.validation is not None)
            watcher.epoch(run, result)
    return run


@dataclass(frozen=True, eq=False)
class RunContext:
    """What all runs with the same data on the same device stand on."""

    device: torch.device
    dataset: Dataset
    splits: Splits

    @classmethod
    def of(cls, spec: Spec, options: RunOptions) -> RunContext:
        """Load the data of `spec` onto the device."""
        where = device.select_device(options.device)
        dataset = load_dataset(spec.data, options.data_dir)
        return cls(where, dataset, Splits.of(dataset, spec, where))


@contextmanager
def under_way(
    spec: Spec,
    options: RunOptions,
    ground: RunContext,
    engine: str,
    watcher: RunCallback,
    resume: Run | None = None,
) -> Iterator[tuple[Run, TrainingState]]:
    """Begin a run or go on with one; measure and conclude it where the context ends without error.

    Whatever ends the context, the run's status says so.
    """
    record = _record(spec, options, ground.dataset, device.describe_device(ground.device))
    record |= {"engine": engine}
    if resume:
        beginning = store.resumed(resume)
    else:
        beginning = store.begun(options.root, spec, f"{spec.name}-s{spec.training.seed}", record)
    with beginning as run, _ending(run):
        state = initial_state(spec, ground.device)
        if resume:
            for warning in restore_state(state, run, record):
                watcher.warn(warning)
        watcher.begun(run, spec, state.epoch)
        yield run, state
        _conclude(run, state, ground.splits, ground.dataset.classes)
    if run.status["outcome"] == "plateau":
        watcher.warn("the loss never left ln 10, that of guessing: try another learning rate")


def _record(spec: Spec, options: RunOptions, dataset: Dataset, device_name: str) -> dict[str, Any]:
    return {
        "experiment": options.experiment,
        "command": options.command,
        "tags": options.tags,
        "data": {
            "name": dataset.name,
            "digest": dataset.digest,
            "train": len(dataset.train.labels),
            "validation": len(dataset.validation.labels) if dataset.validation else 0,
            "test": len(dataset.test.labels),
            "mean": dataset.mean if spec.data.normalize == "standard" else 0.0,
            "std": dataset.std if spec.data.normalize == "standard" else 1.0,
        },
        "device": device_name,
        "parameters": sum(layer.parameters for layer in plan_layers(spec.model)),
        "environment": environment.describe_environment(),
    }


@contextmanager
def _ending(run: Run) -> Iterator[None]:
    """Write the status that belongs to however the context ends."""
    try:
        yield
    except BaseException as error:
        failed = isinstance(error, Exception) and not isinstance(error, PrunedError)
        status = "FAILED" if failed else "KILLED"
        outcome = OUTCOMES.get(type(error), status.lower())
        with suppress(OSError):  # a full disk: nobody holds the run then, so it counts as dead
            run.set_status(status, outcome, f"{type(error).__name__}: {error}")
        raise
    plateau = run.epochs()[-1]["train/loss"] > PLATEAU
    run.set_status("FINISHED", "plateau" if plateau else "finished")


def _conclude(run: Run, state: TrainingState, splits: Splits, classes: tuple[str, ...]) -> None:
    """Measure the test set with the weights that count and write both down."""
    validated = splits.validation is not None
    weights = checkpoint.read_checkpoint(run.best).tensors if validated else state.weights()
    checkpoint.write_checkpoint(
        run.weights, weights, epoch=state.best_epoch if validated else state.epoch
    )
    test = evaluate_weights(state, weights, splits.test)
    measured = {"test/loss": test.loss, "test/accuracy": test.accuracy} if validated else {}
    epochs = run.epochs()
    speeds = [line["examples_per_second"] for line in epochs]
    run.write(
        "result.json",
        {
            "weights": "best" if validated else "last",
            "final": _metrics(epochs[-1]) | measured,
            "best": {"epoch": state.best_epoch} | _metrics(epochs[state.best_epoch - 1]) | measured,
            "examples_per_second": len(speeds) / sum(1 / speed for speed in speeds),
            "confusion": test.confusion.tolist(),
            "classes": classes,
        },
    )


def _metrics(line: dict[str, float]) -> dict[str, float]:
    return {key: value for key, value in line.items() if "/" in key}
