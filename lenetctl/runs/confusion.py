"""Which class is taken for which, by the classes that there are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def confusion_of(matrix: NDArray[Any], classes: int) -> NDArray[Any]:
    """Return of a net's confusion, (10, 10) counts, the (K, K) of a set of K classes.

    Where some predictions are none of these classes, one more column counts them.
    """
    rows = matrix[:classes]
    others = rows[:, classes:].sum(axis=1)
    return np.column_stack((rows[:, :classes], others)) if others.any() else rows[:, :classes]
