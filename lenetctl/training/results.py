"""What the training loop tells while it runs: plain numbers, no torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where an epoch stands, for a live display; loss and accuracy are the epoch's so far."""

    epoch: int
    step: int
    steps: int
    loss: float
    accuracy: float


@dataclass(frozen=True)
class EpochResult:
    """One epoch: its number from 1, metrics by MLflow's names, whether it is the best so far."""

    epoch: int
    metrics: dict[str, float]
    is_best: bool
