"""The weights of a run that is over, to evaluate, to serve or to look into."""

from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn

from lenetctl.errors import CheckpointError, UsageError
from lenetctl.model.build import build_model
from lenetctl.runs.folder import Run
from lenetctl.specs.load import load_spec
from lenetctl.training.checkpoint import complete_checkpoints, epoch_file, read_checkpoint
from lenetctl.training.state import Tensors, copy_weights, initial_net, with_prefix


def default_weights(run: Run) -> str:
    """Return `best` where there is a validation split that chose them, else `last`."""
    return "best" if run.best.exists() else "last"


def read_weights(run: Run, which: str | None = None) -> Tensors:
    """Return the weights `last` or `best`, or the default ones.

    Raises:
        CheckpointError: there are none, or they are damaged.
        UsageError: `which` is something else.

    """
    if which not in (None, "last", "best"):
        raise UsageError(f"--weights {which}: there are last and best")
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


def kept_epochs(run: Run) -> list[int]:
    """Return the epochs whose weights `--keep-epochs` kept, 0 for those before the first."""
    kept = (int(path.stem.rpartition("-")[2]) for path in complete_checkpoints(run.kept_epochs))
    done = len(run.epochs())  # a run that was killed can have kept one more
    return [epoch for epoch in kept if epoch <= done]


def load_net(
    run: Run, which: str | int | None, device: torch.device | str = "cpu"
) -> nn.Sequential:
    """Return the run's net with its weights, laid out as in training, for the same bits.

    `which` is as in `read_weights`, or the number of an epoch that was kept.

    Raises:
        CheckpointError: the weights are missing, damaged or of another net.

    """
    if isinstance(which, int):
        weights = read_checkpoint(epoch_file(run.kept_epochs, which)).tensors
    else:
        weights = read_weights(run, which)
    net = initial_net(run.spec(), device)
    copy_weights(net, weights)
    return net


def load_model(spec_file: str | Path, weights_file: str | Path) -> nn.Sequential:
    """Return the net of a spec with its weights, to predict with: (N, 1, 28, 28) to logits (N, 10).

    Its layers have the names of the plan. The files of a finished run are `run.path / "spec.yaml"`
    and `run.weights`; the mean and std that its pixels in [0, 1] are normalised with are those of
    `run.record.data`. Models in MLflow depend on this name.

    Args:
        spec_file: YAML.
        weights_file: safetensors, which hold numbers and run no code.

    Raises:
        SpecError: the spec is missing or not valid.
        CheckpointError: the weights are missing, damaged or of another net.

    """
    net = build_model(load_spec(spec_file).model, seed=0).eval()
    try:
        weights = safetensors.torch.load_file(weights_file)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{weights_file}: no weights to read: {error}") from error
    copy_weights(net, weights)
    return net
