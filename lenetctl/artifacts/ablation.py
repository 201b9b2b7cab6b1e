"""The table of an ablation and its pictures."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lenetctl.analysis.ablation import LayerAblation
    from lenetctl.analysis.activations import Prediction

ALL = "all images"


def ablation_csv(layers: Sequence[LayerAblation], classes: Sequence[str]) -> str:
    """Return a line for each channel: what all images and each class lose, as fractions."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["layer", "channel", ALL, *classes])
    for layer in layers:
        for channel, (total, lost) in enumerate(zip(layer.lost_of_all, layer.lost, strict=True)):
            numbers = ("" if np.isnan(number) else f"{number:.6g}" for number in (total, *lost))
            writer.writerow([layer.layer, channel, *numbers])
    return text.getvalue()


def draw_ablation(
    layers: Sequence[LayerAblation], classes: Sequence[str], title: str, picture: Path
) -> None:
    """Draw channels × classes, of each layer the channels that cost most first.

    Raises:
        UsageError: `picture` is no PNG or SVG, or cannot be written.

    """
    from lenetctl.figures.ablation import channel_losses
    from lenetctl.figures.style import save

    maps = {}
    for layer in layers:
        order = layer.order()
        maps[layer.layer] = (order, np.column_stack([layer.lost_of_all, layer.lost])[order])
    save(channel_losses(maps, [ALL, *classes], title), picture)


def draw_occlusion(
    images: NDArray[np.uint8],
    maps: NDArray[np.float32],
    predictions: Sequence[Prediction],
    title: str,
    picture: Path,
) -> None:
    """Draw images (R, 28, 28) above what each place of them is worth.

    Raises:
        UsageError: as `draw_ablation`.

    """
    from lenetctl.figures.ablation import occlusion_maps
    from lenetctl.figures.style import save

    save(occlusion_maps(images / 255, maps, list(map(str, predictions)), title), picture)
