"""The images that a net gets wrong, the most confident first."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenetctl.data.dataset import Split
from lenetctl.runs.records import MistakeRecord, MistakesRecord

WORST = 25  # that a run's folder keeps


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
