"""Does the diagnosis of a spec predict its training?

    export OMP_NUM_THREADS=1
    nice python benchmarks/outcomes.py OUTCOMES --random 0:200 --exercise 0,1,2,3,4
    nice python benchmarks/diagnose.py OUTCOMES FILE
    python benchmarks/diagnose.py OUTCOMES FILE --report

Rehearses every spec of OUTCOMES; what came of it is a line of FILE, in JSON. What is in FILE
already is not done again. The report chooses the threshold on every second spec, and counts on the
others how often the prediction was right.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from outcomes import EXERCISE, Row, add_row, missing, read_rows, splits_of
from random_specs import random_spec

from lenetctl import specs
from lenetctl.specs.schema import Spec
from lenetctl.training.device import numerics
from lenetctl.training.diagnostics.expected_fall import Outlook
from lenetctl.training.diagnostics.rehearsal import ENOUGH, Rehearsal, rehearse
from lenetctl.training.metrics import GUESSING


@dataclass(frozen=True)
class Case:
    """A spec with a seed: what its rehearsal said, and what came of its training."""

    name: str
    seed: int
    share: float  # of the fall that is needed, the expected one
    last_loss: float | None

    @property
    def stayed(self) -> bool:
        """Whether the training ended with the loss of guessing, or a higher one, or diverged."""
        return self.last_loss is None or self.last_loss > GUESSING


def spec_of(outcome: Row) -> Spec:
    """Return the spec that a line of OUTCOMES is about."""
    name, seed = outcome["name"], outcome["seed"]
    if name.startswith("random"):
        return random_spec(seed)
    return specs.load_spec(EXERCISE / f"{name}.yaml", [f"training.seed={seed}"])


def rehearsed(spec: Spec) -> Row:
    """Return what `rehearsal_of` reads."""
    started = time.process_time()
    with numerics(spec.training):
        found = rehearse(spec, splits_of(spec).train)
    return asdict(found) | {"cpu_seconds": time.process_time() - started}


def rehearsal_of(row: Row) -> Rehearsal:
    """Return the rehearsal that a line of FILE tells of."""
    ahead = {key: Outlook(**row[key]) for key in ("halfway", "after")}
    return Rehearsal(row["steps"], row["total"], row["loss"], **ahead)


def cases(outcomes: Sequence[Row], rehearsals: Sequence[Row]) -> Iterator[Case]:
    """Yield what is known of each spec that was trained and rehearsed."""
    last = {row["sha256"]: row["losses"][-1] for row in outcomes}
    for row in rehearsals:
        share = rehearsal_of(row).expected_share
        yield Case(row["name"], row["seed"], share, last[row["sha256"]])


def rates(some: Sequence[Case], enough: float) -> tuple[float, float]:
    """Return recall, and the share of false alarms among the nets that learned."""

    def flagged(stayed: bool) -> float:
        shares = [case.share for case in some if case.stayed is stayed]
        return sum(share < enough for share in shares) / max(1, len(shares))

    return flagged(stayed=True), flagged(stayed=False)


def chosen(some: Sequence[Case]) -> float:
    """Return the threshold with the most recall less false alarms; of equal ones, the middle."""
    scores = {}
    for enough in (10 ** (n / 10) for n in range(-30, 11)):
        recall, false_alarms = rates(some, enough)
        scores[enough] = recall - false_alarms
    best = [one for one, score in scores.items() if score == max(scores.values())]
    return best[len(best) // 2]


def report(found: Sequence[Case]) -> Iterator[str]:
    """Yield the tables as Markdown, and every case where the prediction was wrong."""
    fitted = set(sorted({case.name for case in found})[::2])
    halves = {
        "chosen on": [case for case in found if case.name in fitted],
        "held out": [case for case in found if case.name not in fitted],
    }
    for title, enough in (("chosen", chosen(halves["chosen on"])), ("shipped", ENOUGH)):
        yield f"\n{title}: flagged below {enough:.2g} of the fall that is needed\n"
        yield "| half | specs | stayed | of these flagged | learned | of these flagged |"
        yield "| --- | ---: | ---: | ---: | ---: | ---: |"
        for name, half in halves.items():
            stayed = sum(case.stayed for case in half)
            recall, false_alarms = rates(half, enough)
            cells = (name, len(half), stayed, f"{recall:.0%}", len(half) - stayed)
            yield f"| {' | '.join(map(str, cells))} | {false_alarms:.0%} |"
    yield f"\nwrong at {ENOUGH:g}:\n"
    for case in sorted(found, key=lambda case: case.share):
        if case.stayed is not (case.share < ENOUGH):
            kind = "missed" if case.stayed else "false alarm"
            half = "chosen on" if case.name in fitted else "held out"
            told = f"share {case.share:.2g}, last loss {case.last_loss}"
            yield f"- {kind}: {case.name}, seed {case.seed} ({half}): {told}"


def main() -> None:
    """Rehearse what FILE does not have yet, or report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("outcomes", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--report", action="store_true")
    arguments = parser.parse_args()
    outcomes = read_rows(arguments.outcomes)
    if arguments.report:
        print("\n".join(report(list(cases(outcomes, read_rows(arguments.file))))))
        return
    for spec in missing(arguments.file, map(spec_of, outcomes)):
        add_row(arguments.file, spec, rehearsed(spec))


if __name__ == "__main__":
    main()
