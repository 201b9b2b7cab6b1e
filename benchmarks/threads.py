"""How fast are small steps on one thread and on two?

    python benchmarks/threads.py [SPEC] [--rounds 3]

Trains two epochs of a spec on the digits at several batch sizes, with each engine, on one thread
and on two in turn. Prints the medians of the second epochs' examples a second.
"""

import argparse
import statistics
from pathlib import Path

import torch
from machine import sentence

from lenetctl import specs
from lenetctl.data.dataset import load_dataset
from lenetctl.data.device import DeviceDataset
from lenetctl.specs.schema import Spec
from lenetctl.training import device
from lenetctl.training.engines import ENGINES
from lenetctl.training.loop import train
from lenetctl.training.state import initial_state

ROOT = Path(__file__).parents[1]
BATCH_SIZES = (16, 32, 64, 128, 256)
CPU = torch.device("cpu")


def speed(spec: Spec, engine: str, threads: int) -> float:
    """Return the examples a second of the last epoch."""
    torch.set_num_threads(threads)
    splits = DeviceDataset.of(load_dataset(spec.data), spec.data, CPU)
    with device.numerics(spec.training):
        state = initial_state(spec, CPU)
        step = ENGINES[engine].build_step(state.net, state.optimizer, spec.training)
        *_, last = train(state, step, splits, spec)
    return last.metrics["examples_per_second"]


def main() -> None:
    """Measure in turn and print medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("spec", nargs="?", type=Path, default=ROOT / "experiments/quickstart.yaml")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    columns = [(engine, threads) for engine in ("eager", "compiled") for threads in (1, 2)]
    print(sentence())
    print("| batch |", " | ".join(f"{engine}, {n}" for engine, n in columns), "|")
    print("| ---: |" + " ---: |" * len(columns))
    for size in BATCH_SIZES:
        settings = [f"data.batch_size={size}", "data.dataset=digits", "training.epochs=2"]
        spec = specs.load_spec(chosen.spec, settings)
        rounds = [[speed(spec, *column) for column in columns] for _ in range(chosen.rounds)]
        medians = [statistics.median(speeds) for speeds in zip(*rounds, strict=True)]
        print(f"| {size} |", " | ".join(f"{median:,.0f}" for median in medians), "|", flush=True)


if __name__ == "__main__":
    main()
