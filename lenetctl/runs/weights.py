"""The weights of a run that is over, to evaluate, to serve or to look into."""

import torch
from torch import nn

from lenetctl.errors import CheckpointError
from lenetctl.runs.folder import Run
from lenetctl.training.checkpoint import complete_checkpoints, read_checkpoint
from lenetctl.training.state import Tensors, copy_weights, initial_net, with_prefix


def default_weights(run: Run) -> str:
    """Return `best` where there is a validation split that chose them, else `last`."""
    return "best" if run.best.exists() else "last"


def read_weights(run: Run, which: str | None = None) -> Tensors:
    """Return the weights `last` or `best`, or the default ones.

    Raises:
        CheckpointError: there are none, or they are damaged.

    """
    if (which or default_weights(run)) == "best":
        if not run.best.exists():
            message = "no best weights: data.validation was 0, so nothing chose them; use last"
            raise CheckpointError(f"{run.path.name}: {message}")
        return read_checkpoint(run.best).tensors
    complete = complete_checkpoints(run.checkpoints)
    if not complete:
        raise CheckpointError(f"{run.path.name}: it has no checkpoint yet")
    tensors = read_checkpoint(complete[-1]).tensors
    return with_prefix("net.", tensors) | with_prefix("ema.", tensors)


def load_net(run: Run, which: str | None, device: torch.device | str = "cpu") -> nn.Sequential:
    """Return the run's net with its weights, laid out as in training, for the same bits.

    Raises:
        CheckpointError: the weights are missing, damaged or of another net.

    """
    weights = read_weights(run, which)
    net = initial_net(run.spec(), device)
    copy_weights(net, weights)
    return net
