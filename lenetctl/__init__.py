"""LeNet experiments from YAML specs, tracked in MLflow."""

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lenetctl import figures
    from lenetctl.api import (
        Activations,
        Comparison,
        LenetctlError,
        Run,
        RunCallback,
        Spec,
        activations,
        compare,
        evaluate,
        list_runs,
        load_model,
        load_spec,
        open_run,
        publish,
        train,
    )

__all__ = [
    "Activations",
    "Comparison",
    "LenetctlError",
    "Run",
    "RunCallback",
    "Spec",
    "activations",
    "compare",
    "evaluate",
    "figures",
    "list_runs",
    "load_model",
    "load_spec",
    "open_run",
    "publish",
    "train",
]

# Threads of torch's OpenMP (libgomp) wait for each other by spinning, for milliseconds. Where
# another process is busy, one that waits keeps the one that it waits for from its core: training
# then takes many times as long. Read once, when torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def __getattr__(name: str) -> object:
    """Import what `__all__` names once it is asked for: torch takes seconds."""
    if name == "figures":
        return import_module("lenetctl.figures")
    if name in __all__:
        return getattr(import_module("lenetctl.api"), name)
    if name == "spec":
        from lenetctl.legacy import spec_module  # noqa: PLC0415

        return spec_module()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
