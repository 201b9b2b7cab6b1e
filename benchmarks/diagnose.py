"""Does the diagnosis of a spec predict its training?

    export OMP_NUM_THREADS=1
    nice python benchmarks/diagnose.py FILE --random 0:200 --exercise 0,1,2,3,4
    python benchmarks/diagnose.py FILE --report

Draws random specs, or takes those of exercise 2 with some seeds. Each is trained and diagnosed;
what came of it is a line of FILE, in JSON. What is in FILE already is not done again, so this may
be stopped and repeated: all of it takes hours. The report chooses the threshold on every second
spec of FILE, and counts on the others how often the prediction was right.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from random_specs import random_spec

from lenetctl import specs
from lenetctl.analysis.diagnosis.findings import LEAST_FALL
from lenetctl.analysis.diagnosis.spec import measure_beginning
from lenetctl.data.dataset import Split, load_dataset
from lenetctl.data.device import DeviceDataset
from lenetctl.errors import DivergedError
from lenetctl.runs.lifecycle import PLATEAU
from lenetctl.specs.schema import DataSpec, Spec
from lenetctl.training.device import numerics
from lenetctl.training.diagnostics.first_steps import fall_after_first_steps
from lenetctl.training.engines import ENGINES
from lenetctl.training.loop import train
from lenetctl.training.metrics import TRAIN_LOSS
from lenetctl.training.state import initial_state

EXERCISE = Path(__file__).parents[1] / "experiments" / "exercise2"
WATCHED = 2_000  # test images looked at after an epoch: enough to see whether a net learns
CPU = torch.device("cpu")

Row = dict[str, Any]


def trained(spec: Spec, splits: DeviceDataset) -> Row:
    """Return whether the net stayed at guessing, and its last training loss."""
    losses: list[float | None] = []
    with numerics(spec.training):
        state = initial_state(spec, CPU)
        step = ENGINES["eager"].build_step(state.net, state.optimizer, spec.training)
        try:
            losses += [result.metrics[TRAIN_LOSS] for result in train(state, step, splits, spec)]
        except DivergedError:
            losses.append(None)
    loss = losses[-1]
    return {"loss": loss, "stayed": loss is None or loss > PLATEAU}


def diagnosed(spec: Spec, splits: DeviceDataset) -> Row:
    """Return the numbers that the findings rest on."""
    with numerics(spec.training):
        beginning = measure_beginning(spec, spec.training.seed, splits.train)
        after = fall_after_first_steps(spec, splits.train)
    return {"expected_fall": beginning.expected_fall, "after_first_steps": after}


def wanted(arguments: argparse.Namespace) -> Iterator[Spec]:
    """Yield the specs that the options name."""
    if arguments.random:
        first, _, last = arguments.random.partition(":")
        yield from (random_spec(number) for number in range(int(first), int(last)))
    for seed in filter(None, arguments.exercise.split(",")):
        for path in sorted(EXERCISE.glob("*.yaml")):
            if path.name != "sweep.yaml":
                yield specs.load_spec(path, [f"training.seed={seed}"])


@cache
def _splits(data: DataSpec) -> DeviceDataset:
    dataset = load_dataset(data)
    few = Split(dataset.test.images[:WATCHED], dataset.test.labels[:WATCHED])
    return DeviceDataset.of(replace(dataset, test=few), data, CPU)


def measure(spec: Spec) -> Row:
    """Return the line of one spec."""
    splits = _splits(spec.data.model_copy(update={"batch_size": 1, "augment": ()}))
    started = time.perf_counter()
    row = {"name": spec.name, "seed": spec.training.seed, "sha256": specs.sha256(spec)}
    row |= trained(spec, splits) | diagnosed(spec, splits)
    return row | {"seconds": time.perf_counter() - started}


def rates(rows: Sequence[Row], least_fall: float) -> tuple[float, float]:
    """Return recall, and the share of false alarms among the nets that learned."""

    def flagged(stayed: bool) -> float:
        falls = [
            min(row["expected_fall"], row["after_first_steps"])
            for row in rows
            if row["stayed"] is stayed
        ]
        return sum(fall < least_fall for fall in falls) / max(1, len(falls))

    return flagged(stayed=True), flagged(stayed=False)


def chosen(rows: Sequence[Row]) -> float:
    """Return the threshold with the most recall less false alarms; of equal ones, the middle."""
    scores = {}
    for least_fall in (10 ** (n / 4) for n in range(-24, 5)):
        recall, false_alarms = rates(rows, least_fall)
        scores[least_fall] = recall - false_alarms
    best = [one for one, score in scores.items() if score == max(scores.values())]
    return best[len(best) // 2]


def report(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the tables as Markdown."""
    halves = {"fitted": rows[::2], "held out": rows[1::2]}
    for title, least_fall in (("chosen", chosen(halves["fitted"])), ("shipped", LEAST_FALL)):
        yield f"\n{title}: flagged below {least_fall:.2g} nats\n"
        yield "| half | specs | stayed | of these flagged | learned | of these flagged |"
        yield "| --- | ---: | ---: | ---: | ---: | ---: |"
        for name, half in halves.items():
            stayed = sum(row["stayed"] for row in half)
            recall, false_alarms = rates(half, least_fall)
            cells = (name, len(half), stayed, f"{recall:.0%}", len(half) - stayed)
            yield f"| {' | '.join(map(str, cells))} | {false_alarms:.0%} |"


def main() -> None:
    """Measure what FILE does not have yet, or report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--random", default="", metavar="A:B")
    parser.add_argument("--exercise", default="", metavar="SEED,SEED")
    parser.add_argument("--report", action="store_true")
    arguments = parser.parse_args()
    lines = arguments.file.read_text().splitlines() if arguments.file.exists() else []
    rows = [json.loads(line) for line in lines]
    if arguments.report:
        print("\n".join(report(rows)))
        return
    known = {row["sha256"] for row in rows}
    for spec in wanted(arguments):
        if specs.sha256(spec) not in known:
            with arguments.file.open("a") as file:
                file.write(json.dumps(measure(spec)) + "\n")


if __name__ == "__main__":
    main()
