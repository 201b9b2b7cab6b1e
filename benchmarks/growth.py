"""How does the time of training grow with batch, width and depth?

    python benchmarks/growth.py [--images 20000] [--rounds 3]

Trains variants of the baseline on noise, which costs what pictures cost, with each engine that this
machine has, one epoch of each in turn; the first one is for warming up. Prints examples/s of
training, and the microseconds and FLOP of one example.
"""

import argparse
import statistics
from collections.abc import Iterator
from pathlib import Path

import torch
from machine import sentence
from machine import work as flop
from made import noise

from lenetctl import specs
from lenetctl.data.dataset import Dataset
from lenetctl.data.device import DeviceDataset
from lenetctl.specs.schema import Spec
from lenetctl.training import device
from lenetctl.training.engines import ENGINES, choose_engine
from lenetctl.training.loop import train
from lenetctl.training.state import initial_state

BASELINE = Path(__file__).parents[1] / "experiments/baseline.yaml"
CONV = "{{channels: {}, kernel: 5, padding: 2}}"


def conv(*channels: int) -> str:
    """Return the setting for convolutions with these channels."""
    return f"model.conv=[{', '.join(CONV.format(c) for c in channels)}]"


VARIANTS: dict[str, list[str]] = {
    "baseline": [],
    **{f"batch {size}": [f"data.batch_size={size}"] for size in (32, 64, 128, 512, 1024)},
    **{f"channels {n}, {2 * n}": [conv(n, 2 * n)] for n in (4, 8, 16, 32)},
    "1 convolution": [conv(16)],
    "3 convolutions": [conv(16, 16, 16)],
    "no hidden dense": ["model.dense=[]"],
    "4 hidden dense": ["model.dense=[120, 84, 84, 84]"],
}


def epochs(spec: Spec, splits: DeviceDataset, where: torch.device, engine: str) -> Iterator[float]:
    """Yield the examples a second of each epoch."""
    state = initial_state(spec, where)
    step = ENGINES[engine].build_step(state.net, state.optimizer, spec)
    for result in train(state, step, splits, spec):
        yield result.metrics["examples_per_second"]


def main() -> None:
    """Measure in turn and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--images", type=int, default=20_000, help="of an epoch")
    parser.add_argument("--rounds", type=int, default=3, help="epochs that count")
    parser.add_argument("--device", default="auto")
    chosen = parser.parse_args()
    where = device.select_device(chosen.device)
    engines = ("eager", "compiled") if where.type == "cpu" else ("eager", "graph")
    data = Dataset("noise", (), noise(chosen.images, 0), None, noise(500, 1), "", 0.5, 0.29)
    splits = DeviceDataset.of(data, specs.load_spec(BASELINE).data, where)
    ways: dict[tuple[str, str], Iterator[float]] = {}
    work: dict[str, int] = {}
    auto: dict[str, str] = {}
    for name, settings in VARIANTS.items():
        # so small a rate that noise does no harm
        fixed = [f"training.epochs={chosen.rounds + 1}", "training.optimizer.lr=0.01"]
        spec = specs.load_spec(BASELINE, [*fixed, *settings])
        work[name] = flop(spec)
        auto[name] = choose_engine("auto", spec, 10**6, where).engine
        ways |= {(name, one): epochs(spec, splits, where, one) for one in engines}
    rates: dict[tuple[str, str], list[float]] = {way: [] for way in ways}
    with device.numerics(spec.training):
        for number in range(chosen.rounds + 1):
            for way, results in ways.items():
                rate = next(results)
                rates[way] += [rate] if number else []
    print(f"{device.describe_device(where)}; {sentence()}")
    print(f"| variant | MFLOP | {' | '.join(f'{e}: examples/s | µs' for e in engines)} | auto |")
    print("| --- | ---: | " + "---: | ---: | " * len(engines) + "--- |")
    for name in VARIANTS:
        medians = [statistics.median(rates[name, engine]) for engine in engines]
        cells = " | ".join(f"{rate:,.0f} | {1e6 / rate:.1f}" for rate in medians)
        print(f"| {name} | {work[name] / 1e6:.2f} | {cells} | {auto[name]} |")


if __name__ == "__main__":
    main()
