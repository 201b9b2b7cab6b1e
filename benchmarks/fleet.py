"""How many examples a second do M models train together, beside one model alone?

    python benchmarks/fleet.py [SPEC] [--models 1,4,16] [--rounds 3] [--limit 60000]
                               [--device auto] [--engine eager] [--convolutions]

Trains SPEC's net on noise, which costs what pictures cost, and counts the training of an epoch: no
evaluation, no files. A round is an epoch of each; the first one is for warming up. A CPU has
models of 1, 4 and 16 by default, a GPU of 1, 4, 16, 64 and 256.

With --convolutions it times the net's convolutions instead, forward and backward: as one grouped
convolution (what a fleet does), as a matrix product of unfolded images, and one after another.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from pathlib import Path

import torch
from machine import sentence
from made import fleet_models, noise
from torch import Tensor
from torch.nn.functional import conv2d, pad

from lenetctl import specs
from lenetctl.data.dataset import Dataset
from lenetctl.data.device import DeviceDataset
from lenetctl.specs.schema import Conv, Spec
from lenetctl.training import device
from lenetctl.training.engines import ENGINES
from lenetctl.training.fleet.loop import train_fleet
from lenetctl.training.loop import EpochResult, train
from lenetctl.training.state import initial_state

ROOT = Path(__file__).parents[1]
CONVOLUTION_ROUNDS = 20


def alone(spec: Spec, splits: DeviceDataset, where: torch.device, engine: str) -> Iterator[float]:
    """Yield the examples a second of each epoch of one model."""
    state = initial_state(spec, where)
    step = ENGINES[engine].build_step(state.net, state.optimizer, spec)
    for result in train(state, step, splits, spec):
        yield result.metrics["examples_per_second"]


def together(
    spec: Spec, splits: DeviceDataset, where: torch.device, models: int
) -> Iterator[float]:
    """Yield the examples a second of each epoch of `models` models, summed."""
    for outcomes in train_fleet(fleet_models(spec, models, where), splits):
        results = [one for one in outcomes.values() if isinstance(one, EpochResult)]
        if len(results) < models:
            raise SystemExit("a model diverged: choose a smaller learning rate")
        yield sum(result.metrics["examples_per_second"] for result in results)


def in_turn(ways: dict[str, Iterator[float]], rounds: int) -> dict[str, float]:
    """Go through the epochs of all ways in turn; return each one's median after the first."""
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, epochs in ways.items():
            rate = next(epochs)
            if number:
                rates[name].append(rate)
    return {name: statistics.median(taken) for name, taken in rates.items()}


def grouped(images: Tensor, kernels: Tensor, conv: Conv) -> Tensor:
    """Convolve images (B, M, C, H, W) with kernels (M, O, C, k, k), all models at once."""
    x, weight = images.flatten(1, 2), kernels.flatten(0, 1)
    return conv2d(x, weight, None, conv.stride, conv.padding, groups=len(kernels))


def unfolded(images: Tensor, kernels: Tensor, conv: Conv) -> Tensor:
    """Do the same as a batched matrix product, (M, O, C·k·k) by (M, C·k·k, B·H·W)."""
    windows = pad(images, [conv.padding] * 4)
    for side in (3, 4):
        windows = windows.unfold(side, conv.kernel, conv.stride)
    columns = windows.permute(1, 2, 5, 6, 0, 3, 4).reshape(len(kernels), kernels[0, 0].numel(), -1)
    return torch.bmm(kernels.flatten(2), columns)


def one_by_one(images: Tensor, kernels: Tensor, conv: Conv) -> Tensor:
    """Do the same in a loop over the models."""
    each = zip(images.unbind(1), kernels, strict=True)
    return torch.stack([conv2d(x, k, None, conv.stride, conv.padding) for x, k in each])


def seconds(
    way: Callable[[Tensor, Tensor, Conv], Tensor], images: Tensor, kernels: Tensor, conv: Conv
) -> float:
    """Return the median time of one pass forward and backward."""
    taken = []
    for number in range(CONVOLUTION_ROUNDS + 1):
        started = time.perf_counter()
        way(images, kernels, conv).sum().backward()
        if images.is_cuda:
            torch.cuda.synchronize(images.device)
        if number:
            taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def convolutions(spec: Spec, models: Iterable[int], where: torch.device) -> None:
    """Print the milliseconds per model of each convolution, by the way it is done."""
    print(f"ms per model, forward and backward, batches of {spec.data.batch_size}")
    layers = [layer for layer in specs.plan_layers(spec.model) if isinstance(layer.config, Conv)]
    for count, layer in product(models, layers):
        conv, channels = layer.config, layer.input_shape[0]
        assert isinstance(conv, Conv)  # noqa: S101
        images = torch.rand(spec.data.batch_size, count, *layer.input_shape, device=where)
        images.requires_grad_(layer.name != "conv1")  # whose images need no gradient
        shape = (count, conv.channels, channels, conv.kernel, conv.kernel)
        kernels = torch.rand(shape, device=where, requires_grad=True)
        each = {
            way.__name__: 1000 * seconds(way, images, kernels, conv) / count
            for way in (grouped, unfolded, one_by_one)
        }
        said = "  ".join(f"{name} {taken:7.3f}" for name, taken in each.items())
        print(f"{count:>4} models  {layer.name}  {said}", flush=True)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("spec", nargs="?", type=Path, default=ROOT / "experiments/baseline.yaml")
    parser.add_argument("--models", help="e.g. 1,4,16")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=60_000, help="images of an epoch")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--engine", default="eager", help="of the model alone")
    parser.add_argument("--convolutions", action="store_true")
    chosen = parser.parse_args()
    where = device.select_device(chosen.device)
    default = "1,4,16" if where.type == "cpu" else "1,4,16,64,256"
    models = [int(count) for count in (chosen.models or default).split(",")]
    spec = specs.load_spec(
        chosen.spec, [f"training.epochs={chosen.rounds + 1}", "data.validation=0"]
    )
    print(f"{device.describe_device(where)}; {sentence()}")
    with device.numerics(spec.training):
        if chosen.convolutions:
            convolutions(spec, models, where)
            return
        data = Dataset("noise", (), noise(chosen.limit, 0), None, noise(500, 1), "", 0.5, 0.29)
        splits = DeviceDataset.of(data, spec.data, where)
        ways = {f"alone, {chosen.engine}": alone(spec, splits, where, chosen.engine)}
        ways |= {f"fleet of {m}": together(spec, splits, where, m) for m in models}
        rates = in_turn(ways, chosen.rounds)
    print(f"{spec.name}, batches of {spec.data.batch_size}; medians of {chosen.rounds} epochs")
    first = next(iter(rates.values()))
    for name, rate in rates.items():
        print(f"{name:<16} {rate:12,.0f} examples/s {rate / first:6.2f}×")


if __name__ == "__main__":
    main()
