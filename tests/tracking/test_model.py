import json
import re
import sys
from types import SimpleNamespace

import mlflow.pyfunc
import numpy as np
import pytest
import safetensors.torch
import torch

from lenetctl.data.dataset import load_dataset
from lenetctl.model.build import build_model, sequential
from lenetctl.runs.weights import read_weights
from lenetctl.specs.load import load_spec
from lenetctl.specs.reference.shipped import shipped_specs
from lenetctl.tracking import model as model_module
from lenetctl.tracking import store
from lenetctl.tracking.model import save_model
from lenetctl.training.state import copy_weights as fill


@pytest.fixture(scope="module")
def trained(digits, start, tmp_path_factory):
    """A run whose pixels are normalised, which the model must do by itself."""
    spec = digits("standard", data={"normalize": "standard"})
    return start(spec, tmp_path_factory.mktemp("standard"))


@pytest.fixture
def model(trained, monkeypatch):
    """Save it, to be loaded where there is no lenetctl."""
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    with save_model(trained) as folder:
        monkeypatch.setitem(sys.modules, "lenetctl", None)
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


def test_what_it_needs_is_on_any_index(model):
    needed = (model / "requirements.txt").read_text()
    assert "lenetctl" not in needed
    assert "+" not in needed  # torch==2.10.0+cpu
    assert {"mlflow", "numpy", "safetensors", "torch"} == set(
        re.findall(r"^(\w+)==", needed, re.MULTILINE)
    )


def test_it_takes_no_lock_file_along(trained, tmp_path):
    (tmp_path / "uv.lock").write_text("version = 1\n")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\nversion = '1'\n")
    store.open_client(f"sqlite:///{tmp_path / 'mlflow.db'}")
    with save_model(trained) as folder:
        assert not list(folder.rglob("uv.lock"))


@pytest.mark.parametrize(
    ("pixel", "words"),
    [
        (255, "pixels from 0 to 255 are not in [0, 1]: divide bytes by 255"),
        (-0.5, "pixels from -0.5 to 0 are not in [0, 1]"),
        (np.nan, "a pixel is not a finite number"),
        (np.inf, "a pixel is not a finite number"),
    ],
)
def test_what_is_no_image_in_0_to_1_is_refused(model, pixel, words):
    images = np.zeros((2, 28, 28), np.float32)
    images[1, 3, 4] = pixel
    with pytest.raises(mlflow.exceptions.MlflowException, match=re.escape(words)):
        mlflow.pyfunc.load_model(str(model)).predict(images)


@pytest.mark.parametrize("path", shipped_specs().values(), ids=shipped_specs())
def test_the_plan_of_layers_as_json_builds_the_same_net(path):
    spec = load_spec(path)
    text = json.dumps(model_module._layers(SimpleNamespace(spec=lambda: spec)))
    layers = json.loads(text, object_hook=lambda keys: SimpleNamespace(**keys))
    trained, served = build_model(spec.model, seed=1).eval(), sequential(layers).eval()
    served.load_state_dict(trained.state_dict())
    images = torch.rand(2, 1, 28, 28)
    assert torch.equal(trained(images), served(images))
