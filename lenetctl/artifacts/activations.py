"""Pictures and arrays of what the layers of nets make of images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from lenetctl.analysis.activations import Activations, Inputs, InspectedNet

from lenetctl.artifacts.files import file_stem, write_output

MOST_ROWS = 40  # of a picture of activations


def activations_stem(
    inputs: Inputs, activations: Mapping[str, Activations], weights: str | None
) -> str:
    """Return what a picture is called in a run: by what it shows, `act1-act2-2-pullover-2-coat`.

    So another choice of layers, inputs or weights gives another file, the same one the same.
    """
    first, *others = activations
    shown = counted(inputs.labels)
    against = [part for name in others for part in ("vs", name)]
    parts = [*activations[first].layers, *shown, *([weights] if weights else []), *against]
    return file_stem(*parts)


def counted(labels: Sequence[str]) -> list[str]:
    """Return each label once, with how many there are of it: `2-pullover`, `shirt.png`."""
    counts = Counter(labels).items()
    return [f"{count}-{label}" if count > 1 else label for label, count in counts]


def draw_activations(inputs: Inputs, activations: Mapping[str, Activations], picture: Path) -> int:
    """Draw the inputs and feature maps of one net, or of two below each other, by their names.

    Of many inputs the first of each label are drawn; return how many.

    Raises:
        UsageError: `picture` is no PNG or SVG, or cannot be written.

    """
    from lenetctl.figures.activations import feature_maps, feature_maps_compared
    from lenetctl.figures.style import save

    rows = drawn_rows(inputs.labels)
    drawn = {
        name: (
            [layer[rows] for layer in outputs.maps()],
            [str(outputs.predictions[row]) for row in rows],
        )
        for name, outputs in activations.items()
    }
    # the nth layer wanted may have one name here and another there
    names = zip(*(outputs.layers for outputs in activations.values()), strict=True)
    titles = [" | ".join(dict.fromkeys(group)) for group in names]
    images = inputs.images[rows] / 255
    if len(drawn) == 1:
        ((maps, labels),) = drawn.values()
        figure = feature_maps(images, maps, labels, titles)
    else:
        figure = feature_maps_compared(images, drawn, titles)
    save(figure, picture)
    return len(rows)


def draw_kernels(nets: Iterable[InspectedNet], picture: Path) -> list[Path | None]:
    """Draw the kernels of each net's first convolution beside `picture`; return the files.

    Where there is no convolution there is no file.

    Raises:
        UsageError: as `draw_activations`.

    """
    from lenetctl.figures.kernels import kernels
    from lenetctl.figures.style import save

    files: list[Path | None] = []
    for inspected, ending in zip(nets, ("-kernels", "-compared-kernels"), strict=False):
        weights = inspected.net.state_dict().get("conv1.weight")
        file = None if weights is None else picture.with_stem(picture.stem + ending)
        if weights is not None and file:
            save(kernels(weights.numpy()), file)
        files.append(file)
    return files


def write_activations(inputs: Inputs, activations: Mapping[str, Activations], file: Path) -> None:
    """Write an NPZ with `inputs`, `labels` and each layer, of a second net under `compared/`.

    Raises:
        UsageError: `file` cannot be written.

    """
    arrays: dict[str, Any] = {"inputs": inputs.images, "labels": np.array(inputs.labels)}
    for prefix, outputs in zip(("", "compared/"), activations.values(), strict=False):
        arrays |= {f"{prefix}{name}": layer for name, layer in outputs.layers.items()}
    content = BytesIO()
    np.savez_compressed(content, **arrays)
    write_output(file, content.getvalue())


def drawn_rows(labels: Sequence[str]) -> list[int]:
    """Return the rows that fit a picture: all, or as many of each label as there is room for."""
    most = max(1, MOST_ROWS // len(set(labels)))
    seen: Counter[str] = Counter()
    rows = []
    for row, label in enumerate(labels):
        seen[label] += 1
        if seen[label] <= most:
            rows.append(row)
    return rows[:MOST_ROWS]
