"""What `lenetctl activations` leaves behind: pictures, raw arrays, a document."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenetctl.analysis.activations import Inputs, InspectedNet, NetOutputs
from lenetctl.errors import UsageError
from lenetctl.figures import feature_maps, feature_maps_compared, save
from lenetctl.figures.kernels import kernels as kernels_figure
from lenetctl.files import write_whole

LONGEST = 150  # characters of a name
MOST_ROWS = 40  # of a picture


def stem(inputs: Inputs, looks: dict[str, NetOutputs], weights: str | None) -> str:
    """Return what a picture is called in a run: by what it shows, `act1-act2-2-pullover-2-coat`.

    So another choice of layers, inputs or weights gives another file, the same one the same.
    """
    first = next(iter(looks.values()))
    counts = Counter(inputs.labels).items()
    shown = [f"{count}-{label}" if count > 1 else label for label, count in counts]
    against = [part for name in [*looks][1:] for part in ("vs", name)]
    parts = [*first.maps, *shown, *([weights] if weights else []), *against]
    return re.sub(r"[^\w.+=-]+", "-", "-".join(parts), flags=re.ASCII)[:LONGEST]


def as_maps(layer: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a layer as (R, C, h, w); a vector is drawn as a strip."""
    return layer if layer.ndim == 4 else layer[:, None, None]


def draw(inputs: Inputs, looks: dict[str, NetOutputs], picture: Path) -> int:
    """Draw the inputs and feature maps of one net, or of two below each other.

    Of many inputs the first of each label are drawn; return how many.
    """
    rows = _drawn(inputs.labels)
    drawn = {
        name: (
            [as_maps(layer)[rows] for layer in one.maps.values()],
            [words(one.rows[row]) for row in rows],
        )
        for name, one in looks.items()
    }
    # the nth layer wanted may have one name here and another there
    names = zip(*(one.maps for one in looks.values()), strict=True)
    titles = [" | ".join(dict.fromkeys(group)) for group in names]
    images = inputs.images[rows] / 255
    if len(drawn) == 1:
        ((maps, labels),) = drawn.values()
        save(feature_maps(images, maps, labels, titles), picture)
    else:
        save(feature_maps_compared(images, drawn, titles), picture)
    return len(rows)


def _drawn(labels: Sequence[str]) -> list[int]:
    """Return the rows that fit a picture: all, or as many of each label as there is room for."""
    most = max(1, MOST_ROWS // len(set(labels)))
    seen: Counter[str] = Counter()
    rows = []
    for row, label in enumerate(labels):
        seen[label] += 1
        if seen[label] <= most:
            rows.append(row)
    return rows[:MOST_ROWS]


def draw_kernels(subjects: Iterable[InspectedNet], picture: Path) -> list[Path | None]:
    """Draw the kernels of each net's first convolution beside `picture`; return the files.

    Where there is no convolution there is no file.
    """
    files: list[Path | None] = []
    for subject, ending in zip(subjects, ("-kernels", "-compared-kernels"), strict=False):
        weights = subject.net.state_dict().get("conv1.weight")
        file = None if weights is None else picture.with_stem(picture.stem + ending)
        if weights is not None and file:
            save(kernels_figure(weights.numpy()), file)
        files.append(file)
    return files


def keep(inputs: Inputs, looks: dict[str, NetOutputs], file: Path) -> None:
    """Write `inputs`, `labels` and each layer by its name, of a second net under `compared/`."""
    arrays: dict[str, Any] = {"inputs": inputs.images, "labels": np.array(inputs.labels)}
    for prefix, one in zip(("", "compared/"), looks.values(), strict=False):
        arrays |= {f"{prefix}{layer}": maps for layer, maps in one.maps.items()}
    content = BytesIO()
    np.savez_compressed(content, **arrays)
    try:
        write_whole(file, content.getvalue())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error


def activations_document(
    subject: InspectedNet,
    looks: dict[str, NetOutputs],
    picture: Path,
    kernels: Sequence[Path | None],
    npz: Path | None,
) -> dict[str, Any]:
    """Return what `--json` prints."""
    shown = [
        {
            "name": name,
            "layers": {layer: list(maps.shape[1:]) for layer, maps in one.maps.items()},
            "rows": one.rows,
            "kernels": str(file) if file else None,
        }
        for (name, one), file in zip(looks.items(), kernels, strict=True)
    ]
    return {
        "run_id": subject.run.published.run_id if subject.run else None,
        **shown[0],
        "compared": shown[1] if len(shown) > 1 else None,
        "picture": str(picture),
        "npz": str(npz) if npz else None,
    }


def words(row: dict[str, Any]) -> str:
    """Return `coat → pullover 0.62`."""
    return f"{row['label']} → {row['prediction']} {row['probability']:.2f}"
