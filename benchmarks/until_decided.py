"""How many seeds does `lenetctl sweep --until decided` take, and how often is it wrong?

    python benchmarks/until_decided.py [--sweeps 10000]

Simulates one row and its control, and prints by the true difference, in standard deviations of a
paired difference, how often each verdict is reached, the mean number of seeds, and how many seeds a
paired t at 5 %, looked at once, takes to say "better" or "worse" as often. The margin is one such
deviation. Then the same of eight rows, where a sweep counts as false if any of its rows is.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from machine import sentence
from numpy.typing import NDArray
from scipy import stats

from lenetctl.analysis.sequential import StoppingRule
from lenetctl.analysis.verdicts import Sample

MAX_SEEDS, MARGIN = 20, 1.0
EFFECTS = (0, 0.25, 0.5, 1, 1.5, 2, 3, 5)
ROWS = 8

Draw = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]
SHAPES: dict[str, Draw] = {  # each with a variance of 1/2, so that a paired difference has 1
    "normal": lambda rng, size: rng.normal(0, np.sqrt(0.5), size),
    "skewed": lambda rng, size: (1 - rng.exponential(1, size)) * np.sqrt(0.5),
    "two levels": lambda rng, size: 0.7 * rng.choice([-1.0, 1.0], size) + rng.normal(0, 0.1, size),
}


def sample(values: NDArray[np.float64]) -> Sample[int]:
    """Return what a comparison sees of a row."""
    return Sample(dict(enumerate(values.tolist())))


def verdicts(rule: StoppingRule, values: NDArray[np.float64]) -> list[tuple[str, int]]:
    """Return the verdict on each row but the first, the control, and the seeds it took."""
    ended = dict.fromkeys(range(1, len(values)), ("open", MAX_SEEDS))
    undecided = list(ended)
    for seeds in rule.looks:
        samples = [sample(values[row, :seeds]) for row in undecided]
        said = rule.decide(samples, sample(values[0, :seeds]), lowest=False)
        for row, verdict in zip(tuple(undecided), said, strict=True):
            if verdict:
                ended[row] = (verdict, seeds)
                undecided.remove(row)
        if not undecided:
            break
    return list(ended.values())


def fixed_seeds(effect: float, power: float) -> str:
    """Return how many seeds a paired t at 5 %, looked at once, needs for this power."""
    for n in range(2, 200) if effect else ():
        bound, distance = stats.t.isf(0.025, n - 1), effect * np.sqrt(n)
        if stats.nct.sf(bound, n - 1, distance) + stats.nct.cdf(-bound, n - 1, distance) >= power:
            return str(n)
    return "-"


def line(shape: str, effect: float, sweeps: int) -> str:
    """Return the row of the first table for one true difference."""
    values = SHAPES[shape](np.random.default_rng([0, round(100 * effect)]), (sweeps, 2, MAX_SEEDS))
    values[:, 1] += effect
    rule = StoppingRule(1, MARGIN, MAX_SEEDS)
    found = [verdicts(rule, one)[0] for one in values]
    counts = Counter(verdict for verdict, _ in found)
    parts = [counts[name] / sweeps for name in ("better", "worse", "equivalent", "open")]
    shown = " | ".join(f"{100 * part:.1f}" for part in parts)
    mean = np.mean([seeds for _, seeds in found])
    power = min(parts[0] + parts[1], 1 - 1 / sweeps)
    return f"| {shape} | {effect:g} | {shown} | {mean:.1f} | {fixed_seeds(effect, power)} |"


def false_in_family(shape: str, effect: float, wrong: set[str], sweeps: int) -> float:
    """Return the percentage of sweeps of several rows in which any verdict is a wrong one."""
    rng = np.random.default_rng([1, round(effect)])
    values = SHAPES[shape](rng, (sweeps, ROWS + 1, MAX_SEEDS))
    values[:, 1:] += effect
    rule = StoppingRule(ROWS, MARGIN, MAX_SEEDS)
    ended = ({verdict for verdict, _ in verdicts(rule, one)} for one in values)
    return 100 * sum(bool(said & wrong) for said in ended) / sweeps


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sweeps", type=int, default=10_000)
    sweeps = parser.parse_args().sweeps
    print(f"{sweeps:,} sweeps a line, margin {MARGIN:g}, in %. {sentence()}\n")
    with ProcessPoolExecutor() as pool:
        print("| seeds are | difference | better | worse | equivalent | open | seeds | fixed |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
        cells = [
            (shape, e) for shape in SHAPES for e in EFFECTS if shape == "normal" or e in (0, 1)
        ]
        shapes, effects = zip(*cells, strict=True)
        for row in pool.map(line, shapes, effects, [sweeps] * len(cells)):
            print(row, flush=True)
        print(f"\n| {ROWS} rows | better or worse at 0 | equivalent at the margin |")
        print("| --- | ---: | ---: |")
        each = [list(SHAPES), [0] * len(SHAPES), [{"better", "worse"}] * len(SHAPES)]
        at_zero = pool.map(false_in_family, *each, [sweeps] * len(SHAPES))
        each = [list(SHAPES), [MARGIN] * len(SHAPES), [{"equivalent"}] * len(SHAPES)]
        at_margin = pool.map(false_in_family, *each, [sweeps] * len(SHAPES))
        for shape, first, second in zip(SHAPES, at_zero, at_margin, strict=True):
            print(f"| {shape} | {first:.1f} | {second:.1f} |", flush=True)


if __name__ == "__main__":
    main()
