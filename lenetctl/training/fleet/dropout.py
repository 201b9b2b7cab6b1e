"""Dropout of many nets at once, drawn for each net as torch draws it for that net alone."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor
from torch.nn.functional import dropout


class FleetDropout:
    """Keeps, for each net, the state that the global generator would have if it were alone."""

    def __init__(
        self, seeds: Sequence[int], probabilities: Sequence[float], device: torch.device
    ) -> None:
        """Seed the draws of each net; `probabilities` are those of dropping a feature."""
        self._generator = _global_generator(device)
        self._states = [Generator(device).manual_seed(seed).get_state() for seed in seeds]
        self._probabilities = probabilities

    def __call__(self, features: Tensor) -> Tensor:
        """Return features (M, B, F) with some of them set to zero and the others scaled up."""
        factors = []
        for net, probability in enumerate(self._probabilities):
            self._generator.set_state(self._states[net])
            factors.append(dropout(features.new_ones(features.shape[1:]), probability))
            self._states[net] = self._generator.get_state()
        return features * torch.stack(factors)


def _global_generator(device: torch.device) -> Generator:
    if device.type == "cuda":
        return torch.cuda.default_generators[device.index or 0]
    if device.type == "mps":
        return torch.mps._get_default_mps_generator()  # noqa: SLF001  there is no other way to it
    return torch.default_generator
