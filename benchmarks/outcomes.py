"""What comes of training random specs, and those of exercise 2: the truth for `diagnose.py`.

    export OMP_NUM_THREADS=1
    nice python benchmarks/outcomes.py FILE --random 0:200 --exercise 0,1,2,3,4

Each is a line of FILE, in JSON. What is in FILE already is not done again, so this may be stopped
and repeated: all of it takes an hour or two of a core.
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
from lenetctl.data.dataset import Split, load_dataset
from lenetctl.data.device import DeviceDataset
from lenetctl.errors import DivergedError
from lenetctl.specs.schema import DataSpec, Spec
from lenetctl.training.device import numerics
from lenetctl.training.engines import ENGINES
from lenetctl.training.loop import train
from lenetctl.training.metrics import TRAIN_LOSS, EpochResult
from lenetctl.training.state import TrainingState, initial_state

EXERCISE = Path(__file__).parents[1] / "experiments" / "exercise2"
WATCHED = 500  # test images looked at after an epoch: the training loss is what is asked about
# Exercise 2 takes an hour, so a net of it is left as soon as its training loss, in nats, is below
# this after so many epochs: it has learned. Random specs are trained to their end.
LEARNED, LEAST_EPOCHS = 1.5, 2
CPU = torch.device("cpu")

Row = dict[str, Any]


def read_rows(file: Path) -> list[Row]:
    """Return the lines of `file`, none where there is no file."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [json.loads(line) for line in lines]


def add_row(file: Path, spec: Spec, row: Row) -> None:
    """Append what was measured of `spec` to `file`."""
    of = {"name": spec.name, "seed": spec.training.seed, "sha256": specs.sha256(spec)}
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(of | row) + "\n")


def missing(file: Path, wanted: Iterator[Spec]) -> Iterator[Spec]:
    """Yield the specs that have no line in `file`."""
    known = {row["sha256"] for row in read_rows(file)}
    yield from (spec for spec in wanted if specs.sha256(spec) not in known)


def wanted(random: str, exercise: str) -> Iterator[Spec]:
    """Yield random specs from a number on to another, `0:200`, and exercise 2 with some seeds."""
    if random:
        first, _, last = random.partition(":")
        yield from (random_spec(number) for number in range(int(first), int(last)))
    for seed in filter(None, exercise.split(",")):
        for path in sorted(EXERCISE.glob("*.yaml")):
            if path.name != "sweep.yaml":
                yield specs.load_spec(path, [f"training.seed={seed}"])


def splits_of(spec: Spec) -> DeviceDataset:
    """Return the images of `spec`, few of the test set."""
    return _splits(spec.data.model_copy(update={"batch_size": 1, "augment": ()}))


@cache
def _splits(data: DataSpec) -> DeviceDataset:
    dataset = load_dataset(data)
    few = Split(dataset.test.images[:WATCHED], dataset.test.labels[:WATCHED])
    return DeviceDataset.of(replace(dataset, test=few), data, CPU)


def trained(spec: Spec) -> tuple[TrainingState, Iterator[EpochResult]]:
    """Return the state of a training, and its epochs, which change it."""
    engine = "eager" if ENGINES["compiled"].refusal(spec, CPU) else "compiled"
    state = initial_state(spec, CPU)
    step = ENGINES[engine].build_step(state.net, state.optimizer, spec)
    return state, train(state, step, splits_of(spec), spec)


def losses_of(spec: Spec) -> list[float | None]:
    """Return the training loss of each epoch that was trained; None where it diverged."""
    losses: list[float | None] = []
    with numerics(spec.training):
        try:
            for result in trained(spec)[1]:
                losses.append(result.metrics[TRAIN_LOSS])
                if spec.data.limit is None and len(losses) >= LEAST_EPOCHS and losses[-1] < LEARNED:
                    break
        except DivergedError:
            losses.append(None)
    return losses


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what FILE does not have yet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--random", default="", metavar="A:B")
    parser.add_argument("--exercise", default="", metavar="SEED,SEED")
    options = parser.parse_args(arguments)
    for spec in missing(options.file, wanted(options.random, options.exercise)):
        started = time.process_time()
        row = {"losses": losses_of(spec), "cpu_seconds": time.process_time() - started}
        add_row(options.file, spec, row)


if __name__ == "__main__":
    main()
