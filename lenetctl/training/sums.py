"""Sums of many small numbers that stay on the device."""

import torch
from torch import Tensor


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
