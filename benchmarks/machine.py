"""What a measurement should say of where it was made."""

import os
import platform
from pathlib import Path

import torch

from lenetctl.runs import environment


def describe() -> str:
    """Return processor, cores, threads, device and versions in one line."""
    about = environment.describe()
    cpu = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return (
        f"{cpu}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, "
        f"{torch.backends.cpu.get_cpu_capability()}{gpu}; Python {about['python']}, "
        f"torch {about['torch']}, lenetctl {about['lenetctl']} {about['git_commit'][:7]}"
    )
