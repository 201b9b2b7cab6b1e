"""How a metric went over the epochs, as mean and spread over the runs of a group."""

from math import isfinite, nan
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
    values: dict[int, list[float]] = {}
    for run in group.runs.values():
        for line in run.epochs:
            known = values.setdefault(int(line["epoch"]), [])
            if isfinite(value := line.get(metric, nan)):
                known.append(value)
    epochs = sorted(values)
    found = [Summary.of(values[epoch]) if values[epoch] else Summary(nan, None) for epoch in epochs]
    mean = [summary.mean for summary in found]
    std = [nan if summary.std is None else summary.std for summary in found]
    return LearningCurve(len(group.runs), np.array(epochs, np.int64), np.array(mean), np.array(std))
