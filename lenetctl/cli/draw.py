"""What a finished run's folder gets beside its numbers: the pictures and the table of layers."""

import numpy as np

from lenetctl import spec as specs
from lenetctl.cli.layers import markdown
from lenetctl.files import write_whole
from lenetctl.runs.folder import Run


def draw(run: Run) -> None:
    """Write `curves.png`, `confusion_matrix.png` and `shapes.md` where they are not there yet."""
    if (run.figures / "shapes.md").exists():
        return
    from lenetctl.figures.confusion import confusion_matrix  # matplotlib takes a second
    from lenetctl.figures.curves import curves
    from lenetctl.figures.style import save

    run.figures.mkdir(exist_ok=True)
    result = run.result
    save(curves(run.epochs(), run.name), run.figures / "curves.png")
    matrix = np.array(result["confusion"])
    save(confusion_matrix(matrix, result["classes"]), run.figures / "confusion_matrix.png")
    layers = specs.plan(run.spec().model)
    write_whole(run.figures / "shapes.md", markdown(layers, batch=1) + "\n")
