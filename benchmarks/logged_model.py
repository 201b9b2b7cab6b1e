"""What it costs to keep a net in MLflow: its code carried along, against a program of torch.export.

lenetctl train quickstart && python benchmarks/logged_model.py latest
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import mlflow.pyfunc  # noqa: F401  what both need is not counted
import torch

from lenetctl.runs.store import RunStore
from lenetctl.runs.weights import load_net
from lenetctl.tracking.model import save_model

ROUNDS = 3


class Whole(torch.nn.Module):
    """Images (N, 28, 28) to probabilities (N, 10), as the model in MLflow has it."""

    def __init__(self, net: torch.nn.Module, mean: float, std: float) -> None:
        super().__init__()
        self.net, self.mean, self.std = net, mean, std

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Normalise, run the net, make probabilities."""
        return self.net((images.reshape(-1, 1, 28, 28) - self.mean) / self.std).softmax(1)


@contextmanager
def timed(what: str) -> Iterator[list[int]]:
    """Print the seconds that the context took, and the sum of the bytes that it lists."""
    started = time.perf_counter()
    sizes: list[int] = []
    yield sizes
    print(f"{what}: {time.perf_counter() - started:.2f} s, {sum(sizes) / 1024:.0f} KB")


def main() -> None:
    """Measure one run's net."""
    run = RunStore().find(sys.argv[1])
    data = run.record.data
    whole = Whole(load_net(run, None), data.mean, data.std).eval()
    example, free = (torch.zeros(2, 28, 28),), ({0: torch.export.Dim("images")},)
    for _ in range(ROUNDS):
        with timed("code carried") as sizes, save_model(run) as folder:
            sizes += [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    with TemporaryDirectory() as temporary:
        file = Path(temporary) / "net.pt2"
        for _ in range(ROUNDS):
            with timed("torch.export") as sizes:
                torch.export.save(torch.export.export(whole, example, dynamic_shapes=free), file)
                sizes.append(file.stat().st_size)
        pickles = [name for name in ZipFile(file).namelist() if name.endswith((".pt", ".pkl"))]
        print("pickled in it:", *pickles)


if __name__ == "__main__":
    main()
