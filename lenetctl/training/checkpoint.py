"""Tensors and numbers on disk: a safetensors file and, written after it, a JSON file beside it.

The JSON holds the digest of the tensors, so a pair is valid only as a whole. Reading one runs no
code: safetensors holds numbers and nothing else.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError

from lenetctl.errors import CheckpointError
from lenetctl.files import write_whole
from lenetctl.training.state import Tensors

KEPT = 2  # checkpoints of a run: the last one, and the one before it in case that is damaged
MAX_BYTES = 8 << 30  # more than any net of this family takes


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a pair of files holds."""

    path: Path
    tensors: Tensors
    numbers: dict[str, Any]


def write_checkpoint(path: Path, tensors: Tensors, **numbers: Any) -> None:
    """Write `path` (`*.safetensors`) and the JSON beside it, each whole or not at all."""
    content = safetensors.torch.save({n: t.contiguous().cpu() for n, t in tensors.items()})
    digest = hashlib.sha256(content).hexdigest()
    # a file of tensors without its JSON is not valid, so the old JSON is removed first
    path.with_suffix(".json").unlink(missing_ok=True)
    write_whole(path, content)
    write_whole(path.with_suffix(".json"), json.dumps({"sha256": digest, **numbers}))


def read_checkpoint(path: Path) -> Checkpoint:
    """Return the checkpoint at `path` (`*.safetensors`), its tensors on the CPU.

    Raises:
        CheckpointError: it is missing, damaged, or not what `write_checkpoint` writes.

    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CheckpointError(f"{path}: larger than any net of this family")
        numbers = json.loads(path.with_suffix(".json").read_bytes())
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != numbers["sha256"]:
            raise CheckpointError(f"{path}: damaged: its SHA-256 is not the one written beside it")
        return Checkpoint(path, safetensors.torch.load(content), numbers)
    except FileNotFoundError as error:
        raise CheckpointError(f"{error.filename}: there is no such file") from error
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"{path}: not a checkpoint: {error}") from error


def write_epoch_checkpoint(folder: Path, tensors: Tensors, epoch: int, **numbers: Any) -> None:
    """Write the checkpoint of `epoch` into `folder` and remove all but the last two."""
    folder.mkdir(exist_ok=True)
    for torn in folder.glob(".epoch-*.tmp"):  # of a process that was killed while writing
        torn.unlink()
    write_checkpoint(epoch_file(folder, epoch), tensors, epoch=epoch, **numbers)
    for old in sorted(folder.glob("epoch-*.safetensors"))[:-KEPT]:
        old.with_suffix(".json").unlink(missing_ok=True)
        old.unlink()


def epoch_file(folder: Path, epoch: int) -> Path:
    """Return where the tensors of an epoch are in `folder`."""
    return folder / f"epoch-{epoch:06d}.safetensors"


def complete_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints of `folder` that have their JSON, the oldest first."""
    paths = sorted(folder.glob("epoch-*.safetensors"))
    return [path for path in paths if path.with_suffix(".json").exists()]


def read_newest_checkpoint(folder: Path) -> tuple[Checkpoint | None, list[str]]:
    """Return the newest valid checkpoint of `folder`, and a warning for each that is not."""
    warnings: list[str] = []
    for path in sorted(folder.glob("epoch-*.safetensors"), reverse=True):
        try:
            return read_checkpoint(path), warnings
        except CheckpointError as error:
            warnings.append(str(error))
    return None, warnings
