r"""How probable are the figures that the chapter prints, with one, two and four times the step?

    OMP_NUM_THREADS=1 lenetctl sweep book/d2l-java -g training.devices=1,2,4 \
        --seeds 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19 \
        --engine compiled --experiment devices
    python benchmarks/printed.py mlruns/lenetctl

Each device has an equal share of each batch, and SGD's step is proportional to the sum of their
gradients: so the rate is told that one device would have, 0.9, 1.8 and 3.6.

Reads the runs of the experiment `devices`; one that learnt nothing counts, too. p is the two-sided
probability, by Student's t, that one more seed lies as far from the mean of the others as the
printed figure does; `below it` counts the seeds below the printed figure.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import sqrt
from statistics import mean, stdev

import lenetctl
from lenetctl.analysis.statistics import two_sided_p

# after ten epochs, and after the first
PRINTED = {"train/loss": 0.565, "train/accuracy": 0.781, "test/accuracy": 0.731}
FIRST = {"train/accuracy": 0.10, "test/loss": 2.32}
CLOSE = {"train/accuracy": 0.02, "test/loss": 0.03}  # the first epoch counts as the chapter's


def probability(values: Sequence[float], printed: float) -> float:
    """Return how probable a value at least as far from the mean of the others is."""
    spread = stdev(values) * sqrt(1 + 1 / len(values))
    return two_sided_p((printed - mean(values)) / spread, len(values) - 1)


def at_guessing(epochs: Sequence[dict[str, float]]) -> bool:
    """Return whether the first epoch is as the chapter's."""
    return all(abs(epochs[0][key] - value) < CLOSE[key] for key, value in FIRST.items())


def table(epochs_by_rate: dict[float, list[list[dict[str, float]]]]) -> Iterator[str]:
    """Yield the table as Markdown."""
    yield "| rate | seeds | figure | printed | mean ± std | least, greatest | below it | p |"
    yield "| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |"
    for rate, runs in sorted(epochs_by_rate.items()):
        for metric, printed in PRINTED.items():
            values = [epochs[-1][metric] for epochs in runs]
            spread = f"{mean(values):.4f} ± {stdev(values):.4f}"
            ends = f"{min(values):.4f}, {max(values):.4f}"
            p = probability(values, printed)
            below = sum(value < printed for value in values)
            cells = (f"{rate:g}", len(runs), metric, printed, spread, ends, below, f"{p:.2g}")
            yield f"| {' | '.join(map(str, cells))} |"
        stuck = sum(map(at_guessing, runs))
        yield f"| {rate:g} | {len(runs)} | first epoch at guessing | yes | {stuck} | | | |"


def main() -> None:
    """Print the table of the runs in a folder."""
    found = defaultdict(list)
    for run in lenetctl.list_runs(sys.argv[1]):
        if run.record.experiment == "devices" and run.status.state == "FINISHED":
            training = run.spec().training
            found[training.optimizer.lr * training.devices].append(run.epochs())
    print("\n".join(table(found)))


if __name__ == "__main__":
    main()
