"""An epoch of a run on disk: written down when it is done, taken up again when the run goes on."""

from __future__ import annotations

import shutil
import time
from typing import Any

from lenetctl.errors import CheckpointError, UsageError
from lenetctl.runs.folder import Run
from lenetctl.specs import flatten
from lenetctl.specs.differences import difference_text, differing_keys
from lenetctl.specs.schema import Spec
from lenetctl.training import checkpoint
from lenetctl.training.metrics import (
    EXAMPLES_PER_SECOND,
    TRAIN_ACCURACY,
    TRAIN_LOSS,
    EpochResult,
)
from lenetctl.training.state import TrainingState

EPOCHS = "training.epochs"
FITTED = ("cosine", "one_cycle")  # schedules that are stretched over all epochs
LINE = {"time", TRAIN_LOSS, TRAIN_ACCURACY, EXAMPLES_PER_SECOND}  # in each of the journal's


def save_epoch(run: Run, state: TrainingState, result: EpochResult, *, validated: bool) -> None:
    """Write an epoch down: weights that stay, checkpoint, last the line that says it is done."""
    line = {"epoch": result.epoch, "time": int(time.time() * 1000), **result.metrics}
    if validated and result.is_best:
        checkpoint.write_checkpoint(run.best, state.weights(), epoch=result.epoch)
    keep_epoch(run, state)
    checkpoint.write_epoch_checkpoint(
        run.checkpoints,
        state.tensors(),
        result.epoch,
        best_epoch=state.best_epoch,
        best_accuracy=state.best_accuracy,
        history=[*run.epochs(), line],
    )
    run.append_epoch(line)


def keep_epoch(run: Run, state: TrainingState) -> None:
    """Write the weights of the last epoch to stay, if the run is one that keeps them."""
    if run.record.keep_epochs:
        run.kept_epochs.mkdir(exist_ok=True)
        file = checkpoint.epoch_file(run.kept_epochs, state.epoch)
        checkpoint.write_checkpoint(file, state.weights(), epoch=state.epoch)


def check_longer(earlier: Run, spec: Spec) -> None:
    """Refuse to go on with `earlier` as a run of `spec`, unless the first epochs would be its own.

    So a run that was gone on with is the one that as many epochs from the start would have been.

    Raises:
        CheckpointError: they differ in more than the number of epochs.
        UsageError: more epochs would have been other epochs from the start, or there are no more.

    """
    there, here = flatten(earlier.spec()), flatten(spec)
    if differing_keys([there, here]) != [EPOCHS]:
        differences = difference_text(there, here)
        raise CheckpointError(f"{earlier.path.name} is a run of another spec: {differences}")
    done, kind = len(earlier.epochs()), spec.training.schedule.kind
    if kind in FITTED:
        reason = f"its {kind} schedule is one of {there[EPOCHS]} epochs: train from the start"
    elif done >= spec.training.epochs:
        reason = f"it has {done} epochs already"
    elif earlier.is_finished and done < earlier.spec().training.epochs:
        reason = f"it stopped early after {done} epochs, and would again"
    else:
        return
    raise UsageError(f"-s {EPOCHS}={spec.training.epochs}: {earlier.path.name}: {reason}")


def copy_epochs(earlier: Run, run: Run) -> None:
    """Begin `run` with what the last epochs of `earlier` left."""
    if earlier.checkpoints.is_dir():
        shutil.copytree(earlier.checkpoints, run.checkpoints)
    if earlier.kept_epochs.is_dir():
        shutil.copytree(earlier.kept_epochs, run.kept_epochs)
    for file in (earlier.best, earlier.best.with_suffix(".json")):
        if file.exists():
            shutil.copy2(file, run.path)


def restore_state(state: TrainingState, run: Run, before: str, now: str) -> list[str]:
    """Take `state` to the last epoch of `run`; return what the user should know of it.

    `before` and `now` are the machines that it was begun on and goes on with.

    Raises:
        CheckpointError: what is there is no state of this run.

    """
    last, warnings = checkpoint.read_newest_checkpoint(run.checkpoints)
    if before != now:
        warnings.append(f"not bit-exact: begun on {before}; resumed on {now}")
    if last is None:
        run.write_epochs([])
        return warnings
    try:
        history = _checked(last.numbers)
        state.restore(last.tensors)
        state.epoch = int(last.numbers["epoch"])
        state.best_epoch = int(last.numbers["best_epoch"])
        state.best_accuracy = float(last.numbers["best_accuracy"])
        run.write_epochs(history)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{last.path}: not a checkpoint of this run: {error}") from error
    return warnings


def _checked(numbers: dict[str, Any]) -> list[dict[str, float]]:
    """Return the history of a checkpoint, which may be a stranger's.

    Raises:
        ValueError: it is not one line of numbers for each epoch; KeyError, TypeError: nor a list.

    """
    history: list[dict[str, float]] = numbers["history"]
    for epoch, line in enumerate(history, 1):
        numeric = all(isinstance(value, int | float) for value in line.values())
        if not (numeric and line["epoch"] == epoch and line.keys() >= LINE):
            raise ValueError(f"its history is no history at line {epoch}")
    if not 0 < numbers["best_epoch"] <= numbers["epoch"] == len(history):
        raise ValueError("its history is of other epochs")
    return history
