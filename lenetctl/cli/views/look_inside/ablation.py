"""What `lenetctl ablate` prints: what each channel is worth, and a document."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from lenetctl.analysis.ablation import LayerAblation
from lenetctl.analysis.activations import InspectedNet, Prediction
from lenetctl.cli.console import Console

SHOWN = 20  # channels of a layer


def print_ablation(
    console: Console, layers: Sequence[LayerAblation], classes: Sequence[str]
) -> None:
    """Print of each layer the channels that cost most, in percentage points."""
    for layer in layers:
        table = Table(title=f"{layer.layer}: points lost without a channel", title_justify="left")
        for column in ("channel", "all images", "loses most"):
            table.add_column(column, justify="left" if column == "loses most" else "right")
        order = layer.order()
        for channel in order[:SHOWN]:
            lost = np.nan_to_num(layer.lost[channel], nan=-np.inf)
            worst = int(lost.argmax())
            total = _points(layer.lost_of_all[channel])
            words = f"{_points(lost[worst])} {classes[worst]}" if lost[worst] > 0 else ""
            table.add_row(str(channel), total, words)
        console.rich.print(table)
        if len(order) > SHOWN:
            console.say(f"shown are {SHOWN} of {len(order)} channels, those that cost most")


def ablation_document(
    inspected: InspectedNet,
    split: str,
    layers: Sequence[LayerAblation],
    classes: Sequence[str],
    occluded: Sequence[Prediction],
    files: dict[str, Path],
) -> dict[str, Any]:
    """Return what `--json` prints."""
    return {
        "run_id": inspected.run.published.run_id if inspected.run else None,
        "name": inspected.name,
        "split": split,
        "layers": [
            {
                "layer": layer.layer,
                "channels": [
                    {
                        "channel": channel,
                        "lost": float(layer.lost_of_all[channel]),
                        "per_class": {
                            name: None if np.isnan(lost) else float(lost)
                            for name, lost in zip(classes, layer.lost[channel], strict=True)
                        },
                    }
                    for channel in range(len(layer.lost))
                ],
            }
            for layer in layers
        ],
        "occluded": [asdict(prediction) for prediction in occluded],
        **{name: str(file) for name, file in files.items()},
    }


def _points(fraction: float) -> str:
    return f"{round(100 * fraction, 1) + 0:.1f}".replace("-", "−")  # + 0: no −0.0
