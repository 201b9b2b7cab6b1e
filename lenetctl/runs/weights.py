"""The weights of a run that is over, to evaluate, to serve or to look into."""

from lenetctl.errors import CheckpointError
from lenetctl.runs.folder import Run
from lenetctl.training import checkpoint
from lenetctl.training.state import Tensors, with_prefix


def read_weights(run: Run, which: str | None = None) -> Tensors:
    """Return the weights `last` or `best`; by default best where there is a validation split.

    Raises:
        CheckpointError: there are none, or they are damaged.

    """
    which = which or ("best" if run.best.exists() else "last")
    if which == "best":
        if not run.best.exists():
            message = "no best weights: data.validation was 0, so nothing chose them; use last"
            raise CheckpointError(f"{run.path.name}: {message}")
        return checkpoint.read_checkpoint(run.best).tensors
    whole = checkpoint.complete_checkpoints(run.checkpoints)
    if not whole:
        raise CheckpointError(f"{run.path.name}: it has no checkpoint yet")
    tensors = checkpoint.read_checkpoint(whole[-1]).tensors
    return with_prefix("net.", tensors) | with_prefix("ema.", tensors)
