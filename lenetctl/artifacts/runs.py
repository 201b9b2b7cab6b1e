"""The pictures and the table of a run's folder, and pictures of several runs or of a spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lenetctl import specs
from lenetctl.analysis.diagnosis.layer_history import layer_history
from lenetctl.files import write_whole
from lenetctl.runs.folder import Run
from lenetctl.runs.records import EvaluationRecord, MistakeRecord, ResultRecord, confusion_of
from lenetctl.specs.layer_formats import layers_markdown

if TYPE_CHECKING:
    from optuna import Study

    from lenetctl.analysis.comparison import Comparison
    from lenetctl.analysis.diagnosis.spec import Diagnosis
    from lenetctl.analysis.mistakes import Verdict
    from lenetctl.specs.schema import Spec


def draw(run: Run, result: ResultRecord | None = None) -> None:
    """Write the pictures and the table that every finished run has, unless they are there.

    Of a run with `--diagnostics` also `diagnostics.png`. `result` is that of a run which does not
    say yet that it has finished.
    """
    if (run.figures / "shapes.md").exists():
        return
    from lenetctl.figures.confusion import confusion_matrix
    from lenetctl.figures.curves import curves
    from lenetctl.figures.style import save

    run.figures.mkdir(exist_ok=True)
    result = result or run.result
    save(curves(run.epochs(), run.name), run.figures / "curves.png")
    matrix = confusion_of(np.array(result.confusion), len(result.classes))
    save(confusion_matrix(matrix, result.classes), run.figures / "confusion_matrix.png")
    history = layer_history(run.epochs())
    if history.layers:
        from lenetctl.figures.diagnostics import layers_over_epochs

        figure = layers_over_epochs(history.tables, history.layers, run.name)
        save(figure, run.figures / "diagnostics.png")
    _draw_worst_mistakes(run, result.classes)
    layers = specs.plan_layers(run.spec().model)
    write_whole(run.figures / "shapes.md", layers_markdown(layers, batch=1) + "\n")


def _draw_worst_mistakes(run: Run, classes: Sequence[str]) -> None:
    """Write `mistakes.png`, where the run has made some and wrote them down."""
    record = run.mistakes
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
    figure = confusion_matrix(np.array(measured.confusion), classes, f"{run.name}: {measured.key}")
    save(figure, run.evaluations / f"{measured.key}.png")
    write_whole(run.evaluations / f"{measured.key}.json", measured.to_json())


def draw_comparison(shown: Comparison, file: Path) -> dict[str, Path]:
    """Draw learning curves and accuracy against size, where there are any, and the ranking.

    Returns:
        The files by what they show; the curves are `file`, the others stand beside it.

    Raises:
        UsageError: as `draw_activations`.

    """
    from lenetctl.figures.comparison import bands, ranked
    from lenetctl.figures.style import save
    from lenetctl.figures.trade_off import trade_off

    files = {}
    if shown.curves:
        files["over the epochs"] = file
        save(bands(shown.curves, shown.metric), file)
    if sizes := shown.sizes:
        files["against the size of the net"] = path = file.with_stem(f"{file.stem}-trade-off")
        names = [group.name for group in shown.groups]
        save(trade_off(sizes, shown.metric, "what accuracy costs", names), path)
    files["ranked"] = ranking = file.with_stem(f"{file.stem}-ranked")
    save(ranked(shown.ranking, shown.metric, shown.epoch), ranking)
    return files


def draw_ladder(parts: Mapping[str, Any], file: Path) -> None:
    """Draw what `figures.waterfall.waterfall` takes.

    Raises:
        UsageError: as `draw_activations`.

    """
    from lenetctl.figures.effects.waterfall import waterfall
    from lenetctl.figures.style import save

    save(waterfall(**parts), file)


def draw_search(
    study: Study, sizes: Sequence[tuple[int, int, float]], metric: str, folder: Path
) -> list[Path]:
    """Draw a search into `folder`: Optuna's pictures, and accuracy against the size of the net.

    `sizes`: as `figures.trade_off.trade_off` takes them.
    """
    from lenetctl.figures.effects.search import study_pictures
    from lenetctl.figures.style import save
    from lenetctl.figures.trade_off import trade_off

    figures = {f"search-{name}": figure for name, figure in study_pictures(study).items()}
    figures["search-trade-off"] = trade_off(sizes, metric, study.study_name)
    for name, figure in figures.items():
        save(figure, folder / f"{name}.png", fitted=True)
    return [folder / f"{name}.png" for name in figures]


def draw_diagnosis(spec: Spec, diagnosis: Diagnosis, picture: Path) -> None:
    """Draw the range test of a spec, and its learning rates over the epochs.

    Raises:
        UsageError: `picture` is no PNG or SVG, or cannot be written.

    """
    from lenetctl.figures.diagnostics import learning_rates
    from lenetctl.figures.style import save

    tested = diagnosis.range_test
    marks = {
        "steepest": tested.steepest,
        "largest stable": tested.largest_stable,
        "suggested": tested.suggestion,
        "the spec's": spec.training.optimizer.lr,
    }
    curve = (tested.rates, tested.losses)
    save(learning_rates(curve, marks, diagnosis.schedule, spec.name), picture)
