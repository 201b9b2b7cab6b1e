"""What the numbers were measured on, and what that machine can do at most."""

import os
import platform
import statistics
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from lenetctl import specs
from lenetctl.specs.schema import Spec

PACKAGES = ("torch", "torchvision", "lightning", "keras", "tensorflow-cpu", "jax", "numpy")
MISSING = "not installed"
SIDES = {"cpu": 1024, "cuda": 8192}


def describe(device: str = "cpu") -> dict[str, Any]:
    """Return processor or GPU, cores, threads, system and versions."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(
            line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, StopIteration):
        name = platform.processor()
    if device == "cuda":
        name = f"{torch.cuda.get_device_name()} beside {name}"
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


def sentence(about: dict[str, Any] | None = None) -> str:
    """Return what `describe` says, in words; without what is not installed."""
    about = about or describe()
    versions = {name: v for name, v in about["versions"].items() if v != MISSING}
    return (
        f"{about['processor']}, {about['vector_instructions']}, {about['cores']} cores, "
        f"{about['threads']} threads, load before: {about['load_before']:.2f}; {about['system']}, "
        f"Python {about['python']}, " + ", ".join(f"{name} {v}" for name, v in versions.items())
    )


def peak(device: str = "cpu") -> float:
    """Return the FLOP/s of a large matrix product in fp32, the median of some."""
    side = SIDES[device]
    a, b = torch.rand(side, side, device=device), torch.rand(side, side, device=device)
    seconds = []
    for _ in range(10):
        started = time.perf_counter()
        (a @ b)[0, 0].item()  # waits for the device
        seconds.append(time.perf_counter() - started)
    return 2 * side**3 / statistics.median(seconds[2:])


def work(spec: Spec) -> int:
    """Return the FLOP of one example, forward and backward; the images need no gradient."""
    macs = [layer.macs for layer in specs.plan_layers(spec.model) if layer.macs]
    return 2 * (3 * sum(macs) - macs[0])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return MISSING
