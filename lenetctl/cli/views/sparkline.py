"""A line of blocks: how a number went over the epochs, as small as a word."""

import math
from collections.abc import Sequence
from statistics import fmean

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(
    values: Sequence[float], width: int, limits: tuple[float, float] | None = None
) -> str:
    """Return a block for each value, blank where it is not finite.

    More than `width` values are averaged, neighbours together. The lowest and the highest block
    stand for `limits`, by default the least and the greatest of the values.
    """
    low, high = limits or extent([values]) or (0.0, 0.0)
    step = max(1.0, len(values) / width)
    parts = (values[round(i * step) : round((i + 1) * step)] for i in range(width))
    return "".join(_block(part, low, high) for part in parts if part)


def extent(series: Sequence[Sequence[float]]) -> tuple[float, float] | None:
    """Return the least and the greatest finite value of several series, None of none."""
    finite = [value for values in series for value in values if math.isfinite(value)]
    return (min(finite), max(finite)) if finite else None


def _block(values: Sequence[float], low: float, high: float) -> str:
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return " "
    height = (fmean(finite) - low) / (high - low) if high > low else 0.0
    return BLOCKS[round(height * (len(BLOCKS) - 1))]
