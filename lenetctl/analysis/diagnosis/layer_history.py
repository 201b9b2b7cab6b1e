"""What `--diagnostics` has measured of the layers of a run, as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from lenetctl.training.metrics import LAYERS


@dataclass(frozen=True, eq=False)
class LayerHistory:
    """Each statistic of every layer over the epochs."""

    layers: list[str]  # none where nothing was measured
    tables: dict[str, NDArray[np.float64]]  # by the statistic in words, (layers, epochs)


def layer_history(epochs: Sequence[Mapping[str, float]]) -> LayerHistory:
    """Return what the lines of a journal say of layers; NaN where a line does not say it."""
    keys = dict.fromkeys(key for line in epochs for key in line if key.startswith(LAYERS))
    pairs = [key.removeprefix(LAYERS).split("/") for key in keys]
    layers = list(dict.fromkeys(layer for layer, _ in pairs))
    tables = {
        name.replace("_", " "): np.array(
            [[line.get(f"{LAYERS}{layer}/{name}", nan) for line in epochs] for layer in layers]
        )
        for name in dict.fromkeys(name for _, name in pairs)
    }
    return LayerHistory(layers, tables)
