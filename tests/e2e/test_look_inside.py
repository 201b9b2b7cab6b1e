"""What the chapter's net gets wrong on the real data, worked out twice."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch.nn.functional import avg_pool2d, conv2d, linear

pytestmark = [pytest.mark.realdata, pytest.mark.slow]

BASELINE = Path(__file__).parents[2] / "experiments" / "baseline.yaml"


def probabilities(weights, images):
    """The chapter's net, written out: float64 (N, 10)."""
    w = {name: value.double() for name, value in weights.items()}
    x = torch.from_numpy(images / 255)[:, None]
    for layer, padding in (("conv1", 2), ("conv2", 0)):
        x = conv2d(x, w[f"{layer}.weight"], w[f"{layer}.bias"], padding=padding).sigmoid()
        x = avg_pool2d(x, 2)
    x = x.flatten(1)
    for layer in ("dense1", "dense2"):
        x = linear(x, w[f"{layer}.weight"], w[f"{layer}.bias"]).sigmoid()
    return linear(x, w["output.weight"], w["output.bias"]).softmax(1).numpy()


def test_the_first_mistakes_of_the_baseline_are_its_most_confident(run_to_end, project):
    folder = Path(os.environ["LENETCTL_DATA"])
    data = ("--data-dir", folder)
    trained = json.loads(run_to_end("lenetctl", "train", BASELINE, *data, "--json"))
    found = json.loads(run_to_end("lenetctl", "mistakes", "baseline-s0", *data, "--json"))

    raw = folder / "FashionMNIST" / "raw"
    images = np.fromfile(raw / "t10k-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 28, 28)
    labels = np.fromfile(raw / "t10k-labels-idx1-ubyte", np.uint8)[8:]
    p = probabilities(
        safetensors.torch.load_file(project / trained["folder"] / "weights.safetensors"), images
    )
    predicted, surest = p.argmax(1), p.max(1)
    wrong = np.flatnonzero(predicted != labels)
    expected = wrong[np.argsort(-surest[wrong], kind="stable")][:25]
    assert [one["index"] for one in found["images"]] == expected.tolist()
    assert found["count"] == len(wrong)
    told = [one["probability"] for one in found["images"]]
    np.testing.assert_allclose(told, surest[expected], atol=1e-5)
