"""What a finished run's folder gets beside its numbers: the pictures and the table of layers."""

import numpy as np

from lenetctl import specs
from lenetctl.files import write_whole
from lenetctl.runs.folder import Run
from lenetctl.runs.records import EvaluationRecord
from lenetctl.specs.layer_formats import layers_markdown


def warm_up() -> None:
    """Import what `draw` needs: matplotlib takes half a second."""
    import lenetctl.figures.confusion
    import lenetctl.figures.curves  # noqa: F401


def draw(run: Run) -> None:
    """Write `curves.png`, `confusion_matrix.png` and `shapes.md` where they are not there yet."""
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
    layers = specs.plan_layers(run.spec().model)
    write_whole(run.figures / "shapes.md", layers_markdown(layers, batch=1) + "\n")


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
