"""Running loss and accuracy that live on the device."""

import time
from typing import Any

import torch
from torch import Tensor

INTERVAL = 0.25  # seconds between two looks at the running values


class Meter:
    """Sums over the examples of one epoch."""

    def __init__(self, device: torch.device) -> None:
        self._sums = torch.zeros(3, device=device)  # loss, right answers, examples
        self._on_cuda = device.type == "cuda"
        self._seen = torch.zeros(3, pin_memory=self._on_cuda)
        self._copied: Any = torch.cuda.Event() if self._on_cuda else None  # type: ignore[no-untyped-call]
        self._next = time.perf_counter() + INTERVAL

    def add(self, loss: Tensor, correct: Tensor, count: int) -> None:
        """Count a batch of `count` examples with mean `loss`; both tensors are scalars."""
        self._sums[0] += loss * count
        self._sums[1] += correct
        self._sums[2] += count

    def peek(self) -> tuple[float, float] | None:
        """Return mean loss and accuracy a few times a second, else None; never waits.

        On CUDA these are the values of the last time it was asked: a copy is begun now and read
        once it has arrived.
        """
        if time.perf_counter() < self._next or (self._copied and not self._copied.query()):
            return None
        self._next = time.perf_counter() + INTERVAL
        if self._copied is None:
            return self.read()
        seen = _means(self._seen) if self._seen[2] else None
        self._seen.copy_(self._sums, non_blocking=True)
        self._copied.record()
        return seen

    def read(self) -> tuple[float, float]:
        """Return mean loss and accuracy, waiting for the device."""
        return _means(self._sums.cpu())


def _means(sums: Tensor) -> tuple[float, float]:
    loss, correct, count = sums.tolist()
    return (loss / count, correct / count) if count else (0.0, 0.0)
