"""The device that computes, how precisely it does so, and what to do when its memory runs out."""

import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from lenetctl.errors import ResourceError, UsageError
from lenetctl.specs.schema import TrainingSpec
from lenetctl.training import allocator


def select_device(name: str) -> torch.device:
    """Return the device called `name`: auto, cpu, cuda, cuda:1, mps.

    Raises:
        UsageError: there is no such device here.

    """
    present = ["cpu"]
    if torch.cuda.is_available():
        present += ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        present.append("mps")
    if name == "auto":
        return torch.device(present[1] if len(present) > 1 else "cpu")
    if name not in present:
        raise UsageError(f"--device {name}: not on this machine (here: auto, {', '.join(present)})")
    return torch.device(name)


def describe_device(device: torch.device) -> str:
    """Return the device in words, as a result should name it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return f"Apple {platform.machine()} GPU"
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads"


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether `error` is one that torch, numpy or Python raise when memory runs out."""
    # for CUDA's memory torch raises a subclass of RuntimeError, for the CPU's just that
    words = re.search(r"out of memory|can't allocate memory", str(error), re.IGNORECASE)
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and words is not None)


@contextmanager
def memory_explained() -> Iterator[None]:
    """Name a remedy where memory runs out, on any device.

    Raises:
        ResourceError: in place of the error of torch, numpy or Python.

    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if is_out_of_memory(error):
            remedy = "try -s data.batch_size=… with half as much"
            raise ResourceError(f"out of memory: {remedy}") from error
        raise


@contextmanager
def numerics(training: TrainingSpec) -> Iterator[None]:
    """Set precision and determinism as the spec says; put the old settings back at the end."""
    allocator.keep_freed_memory()
    # cuBLAS reads this once, when it starts on a device
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    matmul, conv = torch.backends.cuda.matmul, torch.backends.cudnn.conv  # type: ignore[attr-defined]
    cudnn = torch.backends.cudnn
    debugging: Any = torch.utils.deterministic
    before = (
        matmul.fp32_precision,
        conv.fp32_precision,
        cudnn.benchmark,
        debugging.fill_uninitialized_memory,
        torch.get_deterministic_debug_mode(),
    )
    matmul.fp32_precision = conv.fp32_precision = "ieee" if training.precision == "fp32" else "tf32"
    cudnn.benchmark = not training.deterministic
    # unlike use_deterministic_algorithms this does not import the compiler, which takes seconds
    torch.set_deterministic_debug_mode("error" if training.deterministic else "default")
    # a debugging aid that writes NaN over every new tensor: an eighth of a step of a wide net
    debugging.fill_uninitialized_memory = False
    try:
        yield
    finally:
        matmul.fp32_precision, conv.fp32_precision, cudnn.benchmark = before[:3]
        debugging.fill_uninitialized_memory = before[3]
        torch.set_deterministic_debug_mode(before[4])
