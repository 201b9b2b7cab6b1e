"""The one function that does a whole run, wherever it happens."""

from __future__ import annotations

from lenetctl import specs
from lenetctl.runs.callbacks import RunCallback
from lenetctl.runs.context import RunContext
from lenetctl.runs.epochs import save_epoch
from lenetctl.runs.folder import Run
from lenetctl.runs.lifecycle import open_run
from lenetctl.runs.options import RunOptions
from lenetctl.specs.schema import Spec
from lenetctl.training.device import memory_explained, numerics
from lenetctl.training.diagnostics.watch import LayerWatch
from lenetctl.training.engines import ENGINES, choose_engine, forward_of
from lenetctl.training.loop import train


@memory_explained()
def execute(
    spec: Spec,
    options: RunOptions,
    callback: RunCallback | None = None,
    resume: Run | None = None,
) -> Run:
    """Train `spec` to its end and return its run, FINISHED; `resume` goes on with an earlier one.

    A run that has finished is returned as it is, unless `spec` has more epochs: then a new one goes
    on from it. Whatever ends another, the folder says so:
    DivergedError, ResourceError (memory) and other errors FAILED, an interrupt and a callback's
    PrunedError KILLED. Errors in data, device or folder are raised before a run begins.
    """
    callback = callback or RunCallback()
    if resume and resume.is_finished and resume.record.spec_sha256 == specs.sha256(spec):
        with options.store.held(resume):
            callback.on_warning(f"{resume.path.name} has finished: there is nothing left to train")
            return resume
    context = RunContext.of(spec, options, resume)
    splits = context.splits
    before = resume.record.engine if resume else None
    choice = choose_engine(options.engine, spec, len(splits.train), context.device, before)
    if choice.warning:
        callback.on_warning(choice.warning)
    with (
        numerics(spec.training),
        open_run(spec, options, context, choice.engine, callback, resume) as (run, state),
    ):
        state.forward = forward_of(choice.engine, state.net, spec, context.device)
        step = ENGINES[choice.engine].build_step(state.net, state.optimizer, spec)
        watch = LayerWatch(spec, splits.train) if options.diagnostics else None
        for epoch in train(state, step, splits, spec, callback.on_progress):
            result = watch.added(epoch, state) if watch else epoch
            save_epoch(run, state, result, validated=splits.validation is not None)
            callback.on_epoch_end(run, result)
    return run
