"""The layers of a net in the formats of `lenetctl shapes`."""

from collections.abc import Sequence
from typing import Any

from lenetctl.specs.layers import INPUT_SHAPE, Layer

# DJL's names; its pools, activations and flattening are lambda blocks
BLOCKS = {"conv": "Conv2d", "dense": "Linear", "norm": "BatchNorm", "dropout": "Dropout"}
COLUMNS = ("layer", "output shape", "parameters", "MACs")


def book_lines(layers: Sequence[Layer], batch: int) -> str:
    """Return the lines that the chapter prints, `01Conv2d layer output : (1, 6, 28, 28)`."""
    return "\n".join(
        f"{number:02d}{BLOCKS.get(layer.kind, 'LambdaBlock')} layer output : {_shape(layer, batch)}"
        for number, layer in enumerate(layers, 1)
    )


def layers_markdown(layers: Sequence[Layer], batch: int) -> str:
    """Return a table for a README or a report."""
    lines = [COLUMNS, ("---", "---", "---:", "---:"), *layer_rows(layers, batch)]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def layers_document(layers: Sequence[Layer], batch: int) -> dict[str, Any]:
    """Return what `--json` prints."""
    return {
        "input_shape": [batch, *INPUT_SHAPE],
        "layers": [
            {
                "name": layer.name,
                "kind": layer.kind,
                "output_shape": [batch, *layer.output_shape],
                "parameters": layer.parameters,
                "macs": batch * layer.macs,
            }
            for layer in layers
        ],
        "parameters": sum(layer.parameters for layer in layers),
        "macs": batch * sum(layer.macs for layer in layers),
    }


def layer_rows(layers: Sequence[Layer], batch: int) -> list[tuple[str, ...]]:
    """Return the cells of a table, below `COLUMNS`; the last row is the total."""
    table = [
        (layer.name, _shape(layer, batch), f"{layer.parameters:,}", f"{batch * layer.macs:,}")
        for layer in layers
    ]
    total = layers_document(layers, batch)
    return [*table, ("total", "", f"{total['parameters']:,}", f"{total['macs']:,}")]


def _shape(layer: Layer, batch: int) -> str:
    return str((batch, *layer.output_shape))
