"""What the numbers were measured on, and what that machine can do at most."""

import os
import platform
import statistics
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from lenetctl import spec as specs

PACKAGES = ("torch", "torchvision", "lightning", "keras", "tensorflow-cpu", "jax", "numpy")
SIDE = 1024


def describe() -> dict[str, object]:
    """Return processor, cores, threads, system and versions."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(
            line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, StopIteration):
        name = platform.processor()
    return {
        "processor": name,
        "vector_instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": torch.get_num_threads(),
        "load_before": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def peak() -> float:
    """Return the FLOP/s of a large matrix product, the median of some."""
    a, b = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    seconds = []
    for _ in range(10):
        started = time.perf_counter()
        a @ b
        seconds.append(time.perf_counter() - started)
    return 2 * SIDE**3 / statistics.median(seconds[2:])


def work(spec: Path) -> int:
    """Return the FLOP of one example, forward and backward; the images need no gradient."""
    layers = specs.plan(specs.load(spec).model)
    macs = [layer.macs for layer in layers if layer.macs]
    return 2 * (3 * sum(macs) - macs[0])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
