"""The pictures and tables that a run's folder holds, and those that a command draws elsewhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lenetctl import specs
from lenetctl.errors import UsageError
from lenetctl.files import write_whole
from lenetctl.runs.folder import Run
from lenetctl.runs.records import EvaluationRecord, MistakeRecord
from lenetctl.specs.layer_formats import layers_markdown

if TYPE_CHECKING:
    from lenetctl.analysis.activations import Activations, Inputs, InspectedNet
    from lenetctl.analysis.comparison import Comparison
    from lenetctl.analysis.mistakes import Verdict

LONGEST = 150  # characters of a file's name
MOST_ROWS = 40  # of a picture of activations


def warm_up() -> None:
    """Import what `draw` needs: matplotlib takes half a second."""
    import lenetctl.figures.curves  # noqa: F401
    import lenetctl.figures.gallery  # noqa: F401


def draw(run: Run) -> None:
    """Write the pictures and the table that every finished run has, unless they are there."""
    if (run.figures / "shapes.md").exists():
        return
    from lenetctl.figures.confusion import confusion_matrix
    from lenetctl.figures.curves import curves
    from lenetctl.figures.style import save

    run.figures.mkdir(exist_ok=True)
    result = run.result
    save(curves(run.epochs(), run.name), run.figures / "curves.png")
    matrix = np.array(result.confusion)
    save(confusion_matrix(matrix, result.classes), run.figures / "confusion_matrix.png")
    draw_worst_mistakes(run)
    layers = specs.plan_layers(run.spec().model)
    write_whole(run.figures / "shapes.md", layers_markdown(layers, batch=1) + "\n")


def draw_worst_mistakes(run: Run) -> None:
    """Write `mistakes.png`, where the run has made some and wrote them down."""
    record, classes = run.mistakes, run.result.classes
    if record and record.mistakes:
        images = np.stack([one.image for one in record.mistakes])
        captions = [mistake_caption(one, classes) for one in record.mistakes]
        title = f"{run.name}: its most confident mistakes on the test set"
        draw_gallery(images, captions, title, run.figures / "mistakes.png")


def mistake_caption(one: Verdict | MistakeRecord, classes: Sequence[str]) -> list[str]:
    """Return what stands below an image: the classes, how probable, and its number."""
    taken = classes[one.prediction] if one.prediction < len(classes) else str(one.prediction)
    return [classes[one.truth], f"→ {taken}", f"{one.probability:.3f}   #{one.index}"]


def draw_gallery(
    images: NDArray[np.uint8], captions: Sequence[Sequence[str]], title: str, file: Path
) -> None:
    """Draw images (N, 28, 28) with lines of text below each.

    Raises:
        UsageError: `file` is no PNG or SVG, or cannot be written.

    """
    from lenetctl.figures.gallery import gallery
    from lenetctl.figures.style import save

    save(gallery(images, captions, title), file)


def draw_evaluation(run: Run, measured: EvaluationRecord) -> None:
    """Write an evaluation and the picture of its confusion into the run's folder."""
    from lenetctl.figures.confusion import confusion_matrix
    from lenetctl.figures.style import save

    run.evaluations.mkdir(exist_ok=True)
    classes = list(measured.per_class)
    matrix = np.array(measured.confusion)[: len(classes), : len(classes)]
    figure = confusion_matrix(matrix, classes, f"{run.name}: {measured.key}")
    save(figure, run.evaluations / f"{measured.key}.png")
    write_whole(run.evaluations / f"{measured.key}.json", measured.to_json())


def activations_stem(
    inputs: Inputs, activations: Mapping[str, Activations], weights: str | None
) -> str:
    """Return what a picture is called in a run: by what it shows, `act1-act2-2-pullover-2-coat`.

    So another choice of layers, inputs or weights gives another file, the same one the same.
    """
    first, *others = activations
    counts = Counter(inputs.labels).items()
    shown = [f"{count}-{label}" if count > 1 else label for label, count in counts]
    against = [part for name in others for part in ("vs", name)]
    parts = [*activations[first].layers, *shown, *([weights] if weights else []), *against]
    return file_stem(*parts)


def file_stem(*parts: object) -> str:
    """Return a file's name without its suffix, of letters that every file system can write."""
    return re.sub(r"[^\w.+=-]+", "-", "-".join(map(str, parts)), flags=re.ASCII)[:LONGEST]


def draw_activations(inputs: Inputs, activations: Mapping[str, Activations], picture: Path) -> int:
    """Draw the inputs and feature maps of one net, or of two below each other, by their names.

    Of many inputs the first of each label are drawn; return how many.

    Raises:
        UsageError: `picture` is no PNG or SVG, or cannot be written.

    """
    from lenetctl.figures.activations import feature_maps, feature_maps_compared
    from lenetctl.figures.style import save

    rows = _drawn(inputs.labels)
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


def draw_comparison(shown: Comparison, file: Path) -> list[Path]:
    """Draw the learning curves, where there are any, and the ranking beside; return the files.

    Raises:
        UsageError: as `draw_activations`.

    """
    from lenetctl.figures.comparison import bands, ranked
    from lenetctl.figures.style import save

    ranking = file.with_stem(f"{file.stem}-ranked")
    save(ranked(shown.ranking, shown.metric), ranking)
    if not shown.curves:
        return [ranking]
    save(bands(shown.curves, shown.metric), file)
    return [file, ranking]


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


def write_output(file: Path, content: bytes | str) -> None:
    """Write a file where the user wants it.

    Raises:
        UsageError: `file` cannot be written.

    """
    try:
        write_whole(file, content)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error


def copy_into(folder: Path, files: Iterable[Path]) -> None:
    """Copy those of `files` that are not in `folder` yet."""
    for file in files:
        if file.parent.resolve() != folder.resolve():
            write_whole(folder / file.name, file.read_bytes())


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
