"""Is the learning rate that `lenetctl diagnose` suggests as good as the best of a grid?

    export OMP_NUM_THREADS=1
    nice python benchmarks/suggested_rates.py FILE
    python benchmarks/suggested_rates.py FILE --report

Trains the chapter's net, those of exercise 2 with ReLU, tanh and all changes, and twenty random
specs, at the suggested rate and at ten others. Each accuracy is a line of FILE, in JSON. What is in
FILE already is not done again, so this may be stopped and repeated.
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from outcomes import CPU, EXERCISE, Row, add_row, missing, read_rows, splits_of, trained
from random_specs import random_spec

from lenetctl import specs
from lenetctl.data.dataset import load_dataset
from lenetctl.data.device import DeviceSplit
from lenetctl.errors import DivergedError
from lenetctl.specs.schema import DataSpec, Spec
from lenetctl.training.device import numerics
from lenetctl.training.diagnostics.range_test import at_rate, range_test
from lenetctl.training.evaluate import evaluate

GRID = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0)
NUMBERS = range(200, 220)  # of random specs, none of those that the threshold was chosen on
# Eleven trainings of each: as short as the random ones, but for the sigmoids of the chapter's net
SHORT = ["data.limit=6000", "training.epochs=5"]
SETTINGS = {"relu": SHORT, "tanh": SHORT, "baseline": ["data.limit=20000"], "best": SHORT}
CLOSE = 0.02  # of accuracy


def subjects() -> Iterator[Spec]:
    """Yield the specs whose rates are tried."""
    yield from map(random_spec, NUMBERS)
    for name, settings in SETTINGS.items():
        yield specs.load_spec(EXERCISE / f"{name}.yaml", settings)


def suggested(spec: Spec) -> float:
    """Return the rate that the range test suggests."""
    with numerics(spec.training):
        return range_test(spec, splits_of(spec).train).suggestion


def accuracy(spec: Spec) -> float:
    """Return the share of all test images that are predicted after the last epoch."""
    test = _test_images(spec.data.model_copy(update={"batch_size": 1, "augment": ()}))
    with numerics(spec.training):
        state, epochs = trained(spec)
        try:
            for _ in epochs:
                pass
        except DivergedError:
            return 0.0
        return evaluate(state.net, test).accuracy


@cache
def _test_images(data: DataSpec) -> DeviceSplit:
    dataset = load_dataset(data)
    return DeviceSplit(dataset.test, CPU, *dataset.normalisation(data))


def report(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the table as Markdown, the widest miss last."""
    lines = []
    for name in dict.fromkeys(row["name"] for row in rows):
        some = [row for row in rows if row["name"] == name]
        ours = next((row for row in some if row["suggested"]), None)
        grid = [row for row in some if not row["suggested"]]
        if ours and len(grid) == len(GRID):
            best = max(grid, key=lambda row: row["accuracy"])
            lines.append((best["accuracy"] - ours["accuracy"], name, ours, best))
    close = sum(round(behind, 4) <= CLOSE for behind, *_ in lines)  # one image is 0.0001
    yield f"\n{close} of {len(lines)} are within {CLOSE:.0%} of the best of the grid\n"
    yield "| spec | suggested | accuracy | best of the grid | accuracy | behind |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for behind, name, ours, best in sorted(lines, key=lambda line: line[0]):
        cells = (ours["lr"], f"{ours['accuracy']:.4f}", best["lr"], f"{best['accuracy']:.4f}")
        yield f"| `{name}` | {' | '.join(map(str, cells))} | {behind:+.4f} |"


def main() -> None:
    """Train what FILE does not have yet, or report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--report", action="store_true")
    arguments = parser.parse_args()
    if arguments.report:
        print("\n".join(report(read_rows(arguments.file))))
        return
    done = Counter(row["name"] for row in read_rows(arguments.file))
    for spec in subjects():
        if done[spec.name] > len(GRID):
            continue
        ours = suggested(spec)
        rates = (at_rate(spec, rate) for rate in (*GRID, ours))
        for one in missing(arguments.file, rates):
            rate = one.training.optimizer.lr
            row = {"lr": rate, "suggested": rate == ours, "accuracy": accuracy(one)}
            add_row(arguments.file, one, row)


if __name__ == "__main__":
    main()
