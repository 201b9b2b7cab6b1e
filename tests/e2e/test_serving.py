import json
import socket
import time
import urllib.request
from urllib.error import HTTPError

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient
from PIL import Image

from lenetctl.data import digits

PATIENCE = 120  # seconds for the server to answer at all


def post(url, images):
    body = json.dumps({"inputs": images.tolist()}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return np.array(json.load(answer)["predictions"])


def wait_until_up(url, process):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(process.stderr.read())
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)  # nothing says when a server is up but asking it
    pytest.fail(f"no answer from {url} in {PATIENCE} s")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_trained_run_is_found_loaded_and_served(start, run_to_end, project, monkeypatch):
    result = json.loads(run_to_end("lenetctl", "train", "quick.yaml", "--json"))
    assert result["tracking_uri"] == "sqlite:///mlflow.db"

    # as any user of MLflow in this folder
    uri = f"sqlite:///{project / 'mlflow.db'}"
    found = MlflowClient(uri).get_run(result["run_id"])
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "quick-s0"
    assert found.data.metrics["test/accuracy"] == result["metrics"]["test/accuracy"] > 0.5

    source = digits.read_digits()
    images, labels = source.test.images[:64].astype(np.float32) / 255, source.test.labels[:64]
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    mlflow.set_tracking_uri(uri)
    expected = mlflow.pyfunc.load_model(f"runs:/{result['run_id']}/model").predict(images)

    port = free_port()
    model = f"runs:/{result['run_id']}/model"
    serve = ("mlflow", "models", "serve", "--env-manager", "local", "--host", "127.0.0.1")
    server = start(*serve, "-m", model, "--port", port)
    wait_until_up(f"http://127.0.0.1:{port}/ping", server)
    answers = post(f"http://127.0.0.1:{port}/invocations", images)
    assert answers.shape == (64, 10)
    np.testing.assert_allclose(answers, expected, atol=1e-5)
    np.testing.assert_allclose(answers.sum(1), 1, atol=1e-4)
    assert (answers.argmax(1) == labels).mean() > 0.5

    for wrong, words in ((images * 255, "divide bytes by 255"), (images * np.nan, "finite number")):
        with pytest.raises(HTTPError) as refused:
            post(f"http://127.0.0.1:{port}/invocations", wrong)
        assert refused.value.code == 400
        assert words in refused.value.read().decode()

    mine = project / "mine"
    mine.mkdir()
    for number, image in enumerate(source.test.images[:64]):
        Image.fromarray(image).save(mine / f"{number:02}.png")
    told = json.loads(run_to_end("lenetctl", "predict", "latest", mine, "--json"))["predictions"]
    predicted = np.array([list(one["probabilities"].values()) for one in told])
    np.testing.assert_allclose(predicted, answers, atol=1e-5)
