"""What `lenetctl activations` leaves behind: pictures, raw arrays, a document."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from lenetctl.errors import UsageError
from lenetctl.figures import feature_maps, feature_maps_compared, save
from lenetctl.figures.kernels import kernels as kernels_figure
from lenetctl.files import write_whole
from lenetctl.runs.activate import Inputs, Look, Subject


def draw(inputs: Inputs, looks: dict[str, Look], picture: Path) -> None:
    """Draw the inputs and feature maps of one net, or of two below each other."""
    drawn = {
        name: (
            # a vector is drawn as a strip
            [m if m.ndim == 4 else m[:, None, None] for m in one.maps.values()],
            [words(row) for row in one.rows],
        )
        for name, one in looks.items()
    }
    # the nth layer wanted may have one name here and another there
    names = zip(*(one.maps for one in looks.values()), strict=True)
    titles = [" | ".join(dict.fromkeys(group)) for group in names]
    images = inputs.images / 255
    if len(drawn) == 1:
        ((maps, labels),) = drawn.values()
        save(feature_maps(images, maps, labels, titles), picture)
    else:
        save(feature_maps_compared(images, drawn, titles), picture)


def draw_kernels(subject: Subject, file: Path) -> Path | None:
    """Draw the kernels of the first convolution to `file`; return it, None if there is none."""
    weights = subject.net.state_dict().get("conv1.weight")
    if weights is None:
        return None
    save(kernels_figure(weights.numpy()), file)
    return file


def keep(inputs: Inputs, looks: dict[str, Look], file: Path) -> None:
    """Write `inputs` and each layer's array by its name, of a second net under `compared/`."""
    arrays: dict[str, Any] = {"inputs": inputs.images}
    for prefix, one in zip(("", "compared/"), looks.values(), strict=False):
        arrays |= {f"{prefix}{layer}": maps for layer, maps in one.maps.items()}
    content = BytesIO()
    np.savez_compressed(content, **arrays)
    try:
        write_whole(file, content.getvalue())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error


def document(
    subject: Subject, looks: dict[str, Look], picture: Path, kernels: Path | None, npz: Path | None
) -> dict[str, Any]:
    """Return what `--json` prints."""
    shown = [
        {
            "name": name,
            "layers": {layer: list(maps.shape[1:]) for layer, maps in one.maps.items()},
            "rows": one.rows,
        }
        for name, one in looks.items()
    ]
    return {
        "run_id": subject.run.published.get("run_id") if subject.run else None,
        **shown[0],
        "compared": shown[1] if len(shown) > 1 else None,
        "picture": str(picture),
        "kernels": str(kernels) if kernels else None,
        "npz": str(npz) if npz else None,
    }


def words(row: dict[str, Any]) -> str:
    """Return `coat → pullover 0.62`."""
    return f"{row['label']} → {row['prediction']} {row['probability']:.2f}"
