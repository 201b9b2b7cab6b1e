"""What `lenetctl activations` prints: what each net takes each input for, and a document."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lenetctl.analysis.activations import Activations, Inputs, InspectedNet
from lenetctl.cli.console import Console
from lenetctl.cli.views.preview import can_show, draw_previews


def print_predictions(
    console: Console, inputs: Inputs, activations: Mapping[str, Activations]
) -> None:
    """Print what each net takes each input for, on a capable terminal with small pictures."""
    for name, outputs in activations.items():
        console.say(name)
        pictures = {}
        if can_show(console.rich) and not (console.quiet or console.as_json):
            pictures = draw_previews(console.rich, inputs, outputs, len(activations))
        for number, prediction in enumerate(outputs.predictions):
            console.say(f"  {prediction}")
            for line in pictures.get(number, []):
                console.rich.print("  ", line, sep="")


def activations_document(
    inspected: InspectedNet,
    activations: Mapping[str, Activations],
    picture: Path,
    kernels: Sequence[Path | None],
    npz: Path | None,
) -> dict[str, Any]:
    """Return what `--json` prints; `inspected` is the first net."""
    shown = [
        {
            "name": name,
            "layers": {layer: list(array.shape[1:]) for layer, array in outputs.layers.items()},
            "rows": [asdict(prediction) for prediction in outputs.predictions],
            "kernels": str(file) if file else None,
        }
        for (name, outputs), file in zip(activations.items(), kernels, strict=True)
    ]
    return {
        "run_id": inspected.run.published.run_id if inspected.run else None,
        **shown[0],
        "compared": shown[1] if len(shown) > 1 else None,
        "picture": str(picture),
        "npz": str(npz) if npz else None,
    }
