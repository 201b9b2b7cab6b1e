"""What a finished run's folder gets beside its numbers: the pictures and the table of layers."""

from typing import Any

import numpy as np

from lenetctl import specs
from lenetctl.files import write_whole
from lenetctl.runs.folder import Run
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
    matrix = np.array(result["confusion"])
    save(confusion_matrix(matrix, result["classes"]), run.figures / "confusion_matrix.png")
    layers = specs.plan_layers(run.spec().model)
    write_whole(run.figures / "shapes.md", layers_markdown(layers, batch=1) + "\n")


def draw_evaluation(run: Run, document: dict[str, Any]) -> None:
    """Write an evaluation and the picture of its confusion into the run's folder."""
    from lenetctl.figures.confusion import confusion_matrix
    from lenetctl.figures.style import save

    folder = run.path / "evaluations"
    folder.mkdir(exist_ok=True)
    key = f"{document['dataset']}-{document['split']}-{document['weights']}".replace("/", "-")
    classes = list(document["per_class"])
    matrix = np.array(document["confusion"])[: len(classes), : len(classes)]
    save(confusion_matrix(matrix, classes, f"{run.name}: {key}"), folder / f"{key}.png")
    run.write(f"evaluations/{key}.json", document)
