"""LeNet experiments from YAML specs, tracked in MLflow."""

import os

# Threads of torch's OpenMP (libgomp) wait for each other by spinning, for milliseconds. Where
# another process is busy, one that waits keeps the one that it waits for from its core: training
# then takes many times as long. Read once, when torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def __getattr__(name: str) -> object:
    if name == "spec":
        from lenetctl.legacy import spec_module  # noqa: PLC0415

        return spec_module()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
