"""Sums over an epoch, and the running loss and accuracy; all kept on the device."""

import time
from typing import Any

import torch
from torch import Tensor

INTERVAL = 0.25  # seconds at least between two readings of the running values


class CompensatedSum:
    """A float32 sum whose error does not grow with the number of its terms.

    It carries along what rounding lost (Kahan, "Further remarks on reducing truncation errors",
    1965). A float64 sum would do as well, but not every device has one.
    """

    def __init__(self, *shape: int, device: torch.device) -> None:
        """Begin with zeros of `shape`."""
        self.value = torch.zeros(shape, device=device)
        self._excess = torch.zeros(shape, device=device)  # of `value` over the exact sum

    def add(self, terms: Tensor) -> None:
        """Add `terms`, of the sum's shape."""
        terms = terms - self._excess
        total = self.value + terms
        self._excess = (total - self.value) - terms
        self.value = total


class Meter:
    """Sums over the examples of one epoch."""

    def __init__(self, device: torch.device) -> None:
        self._sums = CompensatedSum(2, device=device)  # loss, right answers
        self._count = 0  # examples
        self._on_cuda = device.type == "cuda"
        self._arrived = torch.zeros(2, pin_memory=self._on_cuda)
        self._arrived_count = 0
        self._copied: Any = torch.cuda.Event() if self._on_cuda else None  # type: ignore[no-untyped-call]
        self._next = time.perf_counter() + INTERVAL

    def add(self, loss: Tensor, correct: Tensor, count: int) -> None:
        """Add a batch of `count` examples: its mean loss and its right answers, both scalars."""
        self._sums.add(torch.stack((loss * count, correct)))
        self._count += count

    def peek(self) -> tuple[float, float] | None:
        """Return mean loss and accuracy so far, at most every `INTERVAL`, else None; never wait.

        On CUDA the values are those of the last call that was due: each such call starts a copy to
        the host, and the next one reads it.
        """
        if time.perf_counter() < self._next or (self._copied and not self._copied.query()):
            return None
        self._next = time.perf_counter() + INTERVAL
        if self._copied is None:
            return self.read()
        values = _means(self._arrived, self._arrived_count) if self._arrived_count else None
        self._arrived.copy_(self._sums.value, non_blocking=True)
        self._arrived_count = self._count
        self._copied.record()
        return values

    def read(self) -> tuple[float, float]:
        """Return mean loss and accuracy; wait for the device."""
        return _means(self._sums.value.cpu(), self._count)


def _means(sums: Tensor, count: int) -> tuple[float, float]:
    loss, correct = sums.tolist()
    return (loss / count, correct / count) if count else (0.0, 0.0)
