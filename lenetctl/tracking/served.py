"""The code that MLflow stores with a model and runs to serve it ("models from code").

It imports nothing of lenetctl, which need not be installed where a model is served: the copy of
`lenetctl/model/` that is stored beside it builds the net. MLflow also runs this file to
store it, for which torch is not needed: it is imported where it is.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from uuid import uuid4

import numpy as np
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from numpy.typing import NDArray


class LeNet(PythonModel):
    """Maps images (N, 28, 28), pixels in [0, 1], to the probabilities of the classes (N, 10)."""

    def load_context(self, context: PythonModelContext) -> None:
        """Build the net of the plan of layers and fill it with the weights."""
        from safetensors.torch import load_file  # noqa: PLC0415

        files = context.artifacts
        text = Path(files["about"]).read_text(encoding="utf-8")
        about = json.loads(text, object_hook=lambda keys: SimpleNamespace(**keys))
        self.net = _builder(Path(files["net"])).sequential(about.layers).eval()
        self.net.load_state_dict(load_file(files["weights"]))
        self.mean, self.std = about.mean, about.std

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002  MLflow's signature
        model_input: np.ndarray,  # MLflow knows the bare class only
        params: dict[str, object] | None = None,  # noqa: ARG002
    ) -> NDArray[np.float32]:
        """Return the probabilities, float32 (N, 10).

        Raises:
            MlflowException: pixels that are no numbers in [0, 1].

        """
        import torch  # noqa: PLC0415

        images = np.array(model_input, np.float32)
        if not np.isfinite(images).all():
            raise MlflowException.invalid_parameter_value("a pixel is not a finite number")
        if images.size and (images.min() < 0 or images.max() > 1):
            found = f"pixels from {images.min():g} to {images.max():g} are not in [0, 1]"
            raise MlflowException.invalid_parameter_value(f"{found}: divide bytes by 255")
        pixels = torch.from_numpy(images).reshape(-1, 1, 28, 28)
        with torch.inference_mode():
            logits = self.net((pixels - self.mean) / self.std)
        probabilities: NDArray[np.float32] = logits.softmax(1).numpy()
        return probabilities


def _builder(folder: Path) -> ModuleType:
    """Import the package of `folder` under a name of its own: another model's may be another."""
    name = f"lenet_{uuid4().hex}"
    spec = spec_from_file_location(name, folder / "__init__.py")
    assert spec is not None  # noqa: S101
    sys.modules[name] = module_from_spec(spec)
    return import_module(f"{name}.build")


set_model(LeNet())
