"""How often does `lenetctl compare` say "better" or "worse" where nothing differs?

    python benchmarks/false_verdicts.py [--sweeps 10000]

Simulates sweeps in which the runs of every row come from one distribution, the control's too, and
prints by distribution, seeds and rows (the control is one of them) the percentage of sweeps with a
false verdict: as the p of each row by itself would have it, and as `judge` has it.
"""

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import product

import numpy as np
from machine import sentence
from numpy.typing import NDArray

from lenetctl.analysis.verdicts import ALPHA, Sample, judge

ROWS, SEEDS = (2, 3, 5, 10, 20, 30), (3, 5, 10)
GUESS = 0.1

Draw = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]


def normal(rng: np.random.Generator, size: tuple[int, ...]) -> NDArray[np.float64]:
    """Return accuracies that swing by a point."""
    return rng.normal(0.8, 0.01, size)


def skewed(rng: np.random.Generator, size: tuple[int, ...]) -> NDArray[np.float64]:
    """Return accuracies with a long tail of poor ones (log-normal)."""
    return 0.85 - 0.01 * rng.lognormal(0, 1, size)


def guessing(rng: np.random.Generator, size: tuple[int, ...]) -> NDArray[np.float64]:
    """Return accuracies of a net that in half of the runs does not learn."""
    return np.where(rng.random(size) < 0.5, GUESS, rng.normal(0.75, 0.01, size))


def two_levels(rng: np.random.Generator, size: tuple[int, ...]) -> NDArray[np.float64]:
    """Return accuracies of a net that learns to one of two levels, each with some spread."""
    return np.where(rng.random(size) < 0.5, 0.76, 0.81) + rng.normal(0, 0.01, size)


def two_values(rng: np.random.Generator, size: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the worst case: two levels with next to no spread."""
    return np.where(rng.random(size) < 0.5, 0.76, 0.81) + rng.normal(0, 0.0005, size)


DISTRIBUTIONS: tuple[Draw, ...] = (normal, skewed, guessing, two_levels, two_values)


def sample(values: NDArray[np.float64]) -> Sample[int]:
    """Return what a comparison sees of a row; a run that guesses is known by its loss."""
    return Sample(dict(enumerate(values.tolist())), int((values == GUESS).sum()))


def false_verdicts(draw: Draw, seeds: int, rows: int, sweeps: int) -> tuple[float, float]:
    """Return in what part of the sweeps a row's own p, and `judge`, are wrong."""
    rng = np.random.default_rng([DISTRIBUTIONS.index(draw), seeds, rows])
    own = together = 0
    for values in draw(rng, (sweeps, rows, seeds)):
        control, *others = map(sample, values)
        found = judge(others, control, lowest=False)
        own += any(one.p is not None and one.p <= ALPHA for one in found)
        together += any(one.verdict for one in found)
    return own / sweeps, together / sweeps


def main() -> None:
    """Print a row of a Markdown table for each distribution and number of seeds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sweeps", type=int, default=10_000)
    sweeps = parser.parse_args().sweeps
    print(f"{sweeps:,} sweeps a cell; each row by itself / judge, in %. {sentence()}\n")
    print("| runs | seeds |", " | ".join(f"{rows} rows" for rows in ROWS), "|")
    print("| --- | ---: |", " | ".join("---:" for _ in ROWS), "|")
    with ProcessPoolExecutor() as pool:
        cells = {
            cell: pool.submit(false_verdicts, *cell, sweeps)
            for cell in product(DISTRIBUTIONS, SEEDS, ROWS)
        }
        for draw, seeds in product(DISTRIBUTIONS, SEEDS):
            found = (cells[draw, seeds, rows].result() for rows in ROWS)
            shown = (f"{100 * own:.1f} / {100 * together:.1f}" for own, together in found)
            name = draw.__name__.replace("_", " ")
            print(f"| {name} | {seeds} |", " | ".join(shown), "|", flush=True)


if __name__ == "__main__":
    main()
