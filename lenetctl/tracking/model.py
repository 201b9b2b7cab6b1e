"""A run's net as a Logged Model of MLflow: code as text, weights as safetensors, no pickle."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from lenetctl import specs
from lenetctl.runs.folder import Run

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.entities import Run as Entry

NAME = "model"  # of each run's, found as runs:/RUN_ID/model
CODE = Path(__file__).with_name("served.py")
NET = Path(__file__).parents[1] / "model"  # the package that builds nets
REQUIRED = ("numpy", "safetensors", "torch")  # of what CODE and NET import, beside mlflow


def log_model(client: MlflowClient, run_id: str, run: Run) -> str:
    """Keep the net of a finished run as its one Logged Model; return that model's id."""
    from mlflow.entities import LoggedModelOutput  # noqa: PLC0415  4 s, see store.open_client

    entry = client.get_run(run_id)
    model = _model_of(client, entry)
    if model is None:
        flat = specs.flatten(run.spec())
        params = {key: str(value) for key, value in flat.items() if key.startswith("model.")}
        model = client.create_logged_model(entry.info.experiment_id, NAME, run_id, params=params)
    model_id = str(model.model_id)
    if model.status != "READY":
        with save_model(run, run_id, model_id) as folder:
            client.log_model_artifacts(model_id, str(folder))
        client.finalize_logged_model(model_id, "READY")
    outputs = entry.outputs.model_outputs if entry.outputs else []
    if model_id not in {output.model_id for output in outputs}:
        client.log_outputs(run_id, [LoggedModelOutput(model_id, int(run.epochs()[-1]["epoch"]))])
    return model_id


def find_model(client: MlflowClient, run_id: str) -> LoggedModel | None:
    """Return the Logged Model of a run, if it got that far."""
    return _model_of(client, client.get_run(run_id))


def _model_of(client: MlflowClient, entry: Entry) -> LoggedModel | None:
    query = f"source_run_id = '{entry.info.run_id}'"
    return next(iter(client.search_logged_models([entry.info.experiment_id], query)), None)


@contextmanager
def save_model(run: Run, run_id: str | None = None, model_id: str | None = None) -> Iterator[Path]:
    """Make the folder that `mlflow models serve` serves, for as long as the context lasts.

    It maps images, float32 (N, 28, 28) with pixels in [0, 1], to probabilities, float32 (N, 10).
    """
    import numpy as np  # noqa: PLC0415
    from mlflow import pyfunc  # noqa: PLC0415
    from mlflow.models import Model, ModelSignature  # noqa: PLC0415
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
        (parts / "about.json").write_text(json.dumps(about | {"layers": _layers(run)}))
        (parts / "net").mkdir()
        for file in NET.glob("*.py"):  # as a package of any name
            code = file.read_text(encoding="utf-8").replace("from lenetctl.model.", "from .")
            (parts / "net" / file.name).write_text(code, encoding="utf-8")
        files = {
            "spec": run.path / "spec.yaml",
            "net": parts / "net",
            "weights": run.weights,
            "about": parts / "about.json",
        }
        pyfunc.save_model(
            parts / "model",
            python_model=str(CODE),
            # URIs: of a path MLflow takes %20 for a space
            artifacts={name: file.resolve().as_uri() for name, file in files.items()},
            mlflow_model=Model(run_id=run_id, model_id=model_id),
            signature=signature,
            input_example=np.zeros((1, 28, 28), np.float32),
            # without +cpu and the like, which no index has
            pip_requirements=[f"{name}=={version(name).partition('+')[0]}" for name in REQUIRED],
        )
        yield parts / "model"


def _layers(run: Run) -> list[dict[str, Any]]:
    """Return the plan of layers as JSON has it."""

    def plain(config: Any) -> Any:
        return config.model_dump(mode="json") if isinstance(config, BaseModel) else config

    plan = specs.plan_layers(run.spec().model)
    return [asdict(layer) | {"config": plain(layer.config)} for layer in plan]
