"""What a finished run takes the test images for, and those that it gets wrong."""

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenetctl.data.dataset import Split
from lenetctl.errors import NotFoundError
from lenetctl.files import write_whole
from lenetctl.runs.folder import PREDICTIONS, Run
from lenetctl.runs.records import MistakeRecord, MistakesRecord
from lenetctl.specs.layers import CLASSES

WORST = 25  # that a run's folder keeps

Predictions = NDArray[np.uint8]  # (N,) classes, from 0, a byte an image


def find_mistakes(probabilities: NDArray[np.float32], labels: NDArray[Any]) -> NDArray[np.int64]:
    """Return the indices of the images that are taken for another class, the most confident first.

    Of equal probabilities the lower index comes first.

    Args:
        probabilities: (N, K), a row for each image.
        labels: (N,) the true classes.

    """
    wrong = np.flatnonzero(probabilities.argmax(1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(1), kind="stable")]


def worst_mistakes(probabilities: NDArray[np.float32], split: Split) -> MistakesRecord:
    """Return the 25 worst mistakes on `split`, with their pixels."""
    labels, images = split.labels.numpy(), split.images.numpy()
    worst = find_mistakes(probabilities, labels)[:WORST].tolist()
    predictions, confidence = probabilities.argmax(1), probabilities.max(1)
    return MistakesRecord(
        mistakes=[
            MistakeRecord.of(
                i, int(labels[i]), int(predictions[i]), float(confidence[i]), images[i]
            )
            for i in worst
        ]
    )


def write_predictions(run: Run, probabilities: NDArray[np.float32]) -> None:
    """Write the most probable class of each test image; `probabilities`: (N, 10)."""
    content = BytesIO()
    np.save(content, probabilities.argmax(1).astype(np.uint8), allow_pickle=False)
    write_whole(run.path / PREDICTIONS, content.getvalue())


def read_predictions(run: Run, images: int) -> Predictions:
    """Return the class of each of so many test images.

    Raises:
        NotFoundError: there are none, or they are not valid.

    """
    file = run.path / PREDICTIONS
    try:
        found: Predictions = np.load(file, allow_pickle=False)
    except FileNotFoundError:
        remedy = "an older version made it; repeat it with --force"
        raise NotFoundError(f"{run.path.name} has no test predictions: {remedy}") from None
    except (ValueError, OSError, EOFError) as error:
        raise NotFoundError(f"{file}: not valid: {error}") from error
    if found.dtype != np.uint8 or found.shape != (images,) or found.max(initial=0) >= CLASSES:
        raise NotFoundError(f"{file}: not valid: not the classes of {images} test images")
    return found
