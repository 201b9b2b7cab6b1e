"""A run from its begin to its result, wherever its epochs come from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from lenetctl.errors import DataError, DivergedError, PrunedError
from lenetctl.runs.advice import check_batch_norm, is_plateau, warnings_before
from lenetctl.runs.callbacks import RunCallback
from lenetctl.runs.context import RunContext
from lenetctl.runs.epochs import check_longer, copy_epochs, keep_epoch, restore_state
from lenetctl.runs.folder import Run
from lenetctl.runs.mistakes import worst_mistakes, write_predictions
from lenetctl.runs.options import RunOptions
from lenetctl.runs.records import ResultRecord, confusion_of
from lenetctl.specs.schema import Spec
from lenetctl.training.checkpoint import read_checkpoint, write_checkpoint
from lenetctl.training.evaluate import predict
from lenetctl.training.loop import evaluate_weights, other_weights
from lenetctl.training.metrics import EXAMPLES_PER_SECOND, LAYERS
from lenetctl.training.objective.loss import is_in_nats
from lenetctl.training.state import TrainingState, initial_state

# of other endings the state says it all
OUTCOMES: dict[type[BaseException], str] = {DivergedError: "diverged", PrunedError: "pruned"}


@contextmanager
def open_run(
    spec: Spec,
    options: RunOptions,
    context: RunContext,
    engine: str,
    callback: RunCallback,
    resume: Run | None = None,
) -> Iterator[tuple[Run, TrainingState]]:
    """Begin a run or go on with one; where the context ends without error, write its result.

    Where `spec` has more epochs than `resume`, a new run goes on from it. Whatever ends the
    context, the run's status says so.

    Raises:
        DataError: `resume` was begun with other images.
        CheckpointError, UsageError: as `check_longer`, or batch norm would meet a single value.

    """
    check_batch_norm(spec, len(context.splits.train))
    record = context.record(spec, options, engine)
    is_longer = resume is not None and resume.record.spec_sha256 != record.spec_sha256
    if resume and resume.record.data.digest not in ("", record.data.digest):
        changed = f"the images of {record.data.name} have changed since it was begun"
        raise DataError(f"{resume.path.name}: {changed}: put them back, or train without --resume")
    store = options.store
    if resume and is_longer:
        check_longer(resume, spec)
        data = record.data.model_copy(update={"limit_keeps": resume.record.data.limit_keeps})
        keeps = options.keep_epochs or resume.record.keep_epochs
        record = record.model_copy(
            update={"continues": resume.path.name, "data": data, "keep_epochs": keeps}
        )
    opened = store.resume(resume) if resume and not is_longer else store.begin(spec, record)
    with opened as run, _status_written(run, spec, context):
        state = initial_state(spec, context.device)
        if resume:
            if is_longer:
                with store.held(resume):
                    copy_epochs(resume, run)
            for warning in restore_state(state, run, resume.record.machine, record.machine):
                callback.on_warning(warning)
            if options.keep_epochs and not run.record.keep_epochs:  # from here on
                run.write_record(run.record.model_copy(update={"keep_epochs": True}))
        if state.epoch == 0:
            keep_epoch(run, state)
        callback.on_start(run, spec, state.epoch)
        for warning in warnings_before(spec, context.dataset):
            callback.on_warning(warning)
        yield run, state
        callback.on_result(run, _write_result(run, state, context))
    if run.status.outcome == "plateau":
        of_loss = f"loss never left ln {len(context.dataset.classes)},"
        left = of_loss if is_in_nats(spec.training) else "accuracy never left"
        callback.on_warning(f"the {left} that of guessing: try another learning rate")


@contextmanager
def _status_written(run: Run, spec: Spec, context: RunContext) -> Iterator[None]:
    """Write the status that belongs to however the context ends."""
    try:
        yield
    except BaseException as error:
        failed = isinstance(error, Exception) and not isinstance(error, PrunedError)
        outcome = OUTCOMES.get(type(error), "failed" if failed else "killed")
        with suppress(OSError):  # a full disk: nobody holds the run then, so it counts as dead
            run.set_status(
                "FAILED" if failed else "KILLED", outcome, f"{type(error).__name__}: {error}"
            )
        raise
    plateau = is_plateau(run.epochs()[-1], spec.training, context.dataset)
    run.set_status("FINISHED", "plateau" if plateau else "finished")


def _write_result(run: Run, state: TrainingState, context: RunContext) -> ResultRecord:
    """Measure the test set with the weights that count, write both down and return the result."""
    validated = context.splits.validation is not None
    weights = read_checkpoint(run.best).tensors if validated else state.weights()
    epoch = state.best_epoch if validated else state.epoch
    write_checkpoint(run.weights, weights, epoch=epoch)
    test = evaluate_weights(state, weights, context.splits.test)
    with other_weights(state, weights) as net:
        probabilities = predict(net, context.splits.test, state.forward).numpy()
    write_predictions(run, probabilities)
    run.write_record(worst_mistakes(probabilities, context.dataset.test))
    measured = test.metrics("test") if validated else {}
    epochs = run.epochs()
    best = _metrics(epochs[state.best_epoch - 1]) | measured
    speeds = [line[EXAMPLES_PER_SECOND] for line in epochs]
    result = ResultRecord(
        weights="best" if validated else "last",
        final=_metrics(epochs[-1]) | measured,
        best={"epoch": state.best_epoch} | best,
        examples_per_second=len(speeds) / sum(1 / speed for speed in speeds),
        confusion=confusion_of(test.confusion, len(context.dataset.classes)).tolist(),
        classes=list(context.dataset.classes),
    )
    run.write_record(result)
    return result


def _metrics(line: dict[str, float]) -> dict[str, float]:
    return {key: value for key, value in line.items() if "/" in key and not key.startswith(LAYERS)}
