"""How a metric went over the epochs, as mean and spread over the runs of a group."""

from math import nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenetctl.analysis.groups import Group
from lenetctl.analysis.statistics import Summary


class LearningCurve(NamedTuple):
    """A metric after each epoch; each epoch counts the runs that reached it."""

    n: int  # runs
    epochs: NDArray[np.int64]  # (E,)
    mean: NDArray[np.float64]  # (E,), NaN where no run measured it
    std: NDArray[np.float64]  # (E,), sample standard deviation, NaN of fewer than two values

    @property
    def is_measured(self) -> bool:
        """Whether any run measured the metric after an epoch."""
        return bool(np.isfinite(self.mean).any())


def learning_curve(group: Group, metric: str) -> LearningCurve:
    """Return the curve of `metric` over the runs of `group`."""
    values = group.by_epoch(metric)
    found = [Summary.of(known) if known else Summary(nan, None) for known in values.values()]
    mean = [summary.mean for summary in found]
    std = [nan if summary.std is None else summary.std for summary in found]
    epochs = np.array([*values], np.int64)
    return LearningCurve(len(group.runs), epochs, np.array(mean), np.array(std))
