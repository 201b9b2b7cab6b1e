"""The devices that the trials of a sweep share."""

from __future__ import annotations

import ctypes
import sys


def shared_devices(wanted: str) -> list[str]:
    """Return every CUDA device that torch may use, where `wanted` is any of them; else `wanted`.

    CUDA_VISIBLE_DEVICES says which may be used, and in which order.
    """
    if wanted not in ("auto", "cuda") or not _has_driver():
        return [wanted]
    import torch  # noqa: PLC0415  seconds and 300 MB, which only a machine with a GPU spends here

    return [f"cuda:{number}" for number in range(torch.cuda.device_count())] or [wanted]


def _has_driver() -> bool:
    """Return whether NVIDIA's driver is installed."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
