import json

import mlflow.pyfunc
import numpy as np
import pytest
import safetensors.torch
import torch

from lenetctl.data.dataset import load_dataset
from lenetctl.model.build import build_model
from lenetctl.runs.weights import read_weights
from lenetctl.tracking.model import save_model
from lenetctl.training.state import copy_weights as fill


@pytest.fixture(scope="module")
def trained(digits, start, tmp_path_factory):
    """A run whose pixels are normalised, which the model must do by itself."""
    spec = digits("standard", data={"normalize": "standard"})
    return start(spec, tmp_path_factory.mktemp("standard"))


@pytest.fixture
def model(trained, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    with save_model(trained) as folder:
        yield folder


def test_its_probabilities_are_the_nets(model, trained):
    spec = trained.spec()
    dataset = load_dataset(spec.data)
    images = dataset.test.images[:16].float() / 255
    net = build_model(spec.model, seed=1).eval()
    fill(net, read_weights(trained))
    with torch.inference_mode():
        normalised = (images - dataset.mean) / dataset.std
        expected = net(normalised.reshape(-1, 1, 28, 28)).softmax(1).numpy()
    answers = mlflow.pyfunc.load_model(str(model)).predict(images.reshape(-1, 28, 28).numpy())
    assert answers.shape == (16, 10)
    assert answers.dtype == np.float32
    np.testing.assert_allclose(answers, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(answers.sum(1), 1, rtol=1e-5)
    assert len(set(answers.argmax(1))) > 1


def test_images_of_another_shape_are_refused(model):
    loaded = mlflow.pyfunc.load_model(str(model))
    with pytest.raises(mlflow.exceptions.MlflowException):
        loaded.predict(np.zeros((1, 32, 32), np.float32))


def test_it_carries_signature_example_and_classes(model):
    info = mlflow.models.get_model_info(str(model))
    (given,) = info.signature.inputs.inputs
    assert given.shape == (-1, 28, 28)
    assert info.saved_input_example_info
    about = json.loads((model / "artifacts/about.json").read_text())
    assert len(about["classes"]) == 10
    assert about["std"] > 0


def test_its_weights_are_plain_numbers(model, trained):
    stored = safetensors.torch.load_file(model / "artifacts/weights.safetensors")
    weights = read_weights(trained)
    assert stored.keys() == weights.keys()
    assert all(torch.equal(stored[name], weights[name]) for name in stored)
