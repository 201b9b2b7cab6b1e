"""A run's net as an MLflow model: its code as text, its weights as safetensors, no pickle."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from lenetctl.runs.folder import Run

CODE = Path(__file__).with_name("served.py")


@contextmanager
def save_model(run: Run) -> Iterator[Path]:
    """Make the folder that `mlflow models serve` serves, for as long as the context lasts.

    It maps images, float32 (N, 28, 28) with pixels in [0, 1], to probabilities, float32 (N, 10).
    """
    import numpy as np  # noqa: PLC0415
    from mlflow import pyfunc  # noqa: PLC0415  see store.client
    from mlflow.models import ModelSignature  # noqa: PLC0415
    from mlflow.types import Schema, TensorSpec  # noqa: PLC0415

    signature = ModelSignature(
        Schema([TensorSpec(np.dtype("float32"), (-1, 28, 28))]),
        Schema([TensorSpec(np.dtype("float32"), (-1, 10))]),
    )
    # a stopped command ends while its writer is at work in here
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        parts = Path(temporary)
        data = run.record.data
        about = {"mean": data.mean, "std": data.std, "classes": run.result.classes}
        (parts / "about.json").write_text(json.dumps(about))
        pyfunc.save_model(
            parts / "model",
            python_model=str(CODE),
            artifacts={
                "spec": str(run.path / "spec.yaml"),
                "weights": str(run.weights),
                "about": str(parts / "about.json"),
            },
            signature=signature,
            input_example=np.zeros((1, 28, 28), np.float32),
            pip_requirements=[f"{name}=={version(name)}" for name in ("lenetctl", "torch")],
        )
        yield parts / "model"
