"""The code that MLflow stores with a model and runs to serve it ("models from code").

MLflow also runs it to store it, for which torch is not needed: it is imported where it is.

MLflow keeps the code beside the weights, and runs it with the lenetctl that is installed by then:
it must use the public name `lenetctl.load_model` and no other.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from numpy.typing import NDArray

import lenetctl


class LeNet(PythonModel):
    """Maps images (N, 28, 28), pixels in [0, 1], to the probabilities of the classes (N, 10)."""

    def load_context(self, context: PythonModelContext) -> None:
        """Build the net of the spec and fill it with the weights."""
        files = context.artifacts
        self.net = lenetctl.load_model(files["spec"], files["weights"])
        about = json.loads(Path(files["about"]).read_text(encoding="utf-8"))
        self.mean, self.std = about["mean"], about["std"]

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002  MLflow's signature
        model_input: np.ndarray,  # MLflow knows the bare class only
        params: dict[str, object] | None = None,  # noqa: ARG002
    ) -> NDArray[np.float32]:
        """Return the probabilities, float32 (N, 10)."""
        import torch  # noqa: PLC0415

        pixels = torch.from_numpy(np.array(model_input, np.float32)).reshape(-1, 1, 28, 28)
        with torch.inference_mode():
            logits = self.net((pixels - self.mean) / self.std)
        probabilities: NDArray[np.float32] = logits.softmax(1).numpy()
        return probabilities


set_model(LeNet())
