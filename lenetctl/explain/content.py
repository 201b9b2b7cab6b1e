"""What the page shows: nets with their weights, and images, as a JSON document."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from lenetctl.analysis.activations import InspectedNet
from lenetctl.analysis.predictions import class_names, predict_images
from lenetctl.data.dataset import Dataset
from lenetctl.runs.mistakes import find_mistakes
from lenetctl.runs.weights import default_weights
from lenetctl.specs import plan_layers
from lenetctl.specs.layers import Layer
from lenetctl.specs.schema import Conv, Pool
from lenetctl.training.metrics import TEST_ACCURACY

PER_CLASS = 2
MISTAKES = 20
NORM_EPS = 1e-5  # torch's


def describe_nets(nets: Sequence[InspectedNet], dataset: Dataset) -> dict[str, Any]:
    """Return the document of `page.js`: nets, classes, and test images, the worst mistakes too."""
    images, labels = dataset.test.images.numpy(), dataset.test.labels.numpy()
    classes = class_names(dataset)
    chosen = np.sort(
        np.concatenate([np.flatnonzero(labels == n)[:PER_CLASS] for n in range(len(classes))])
    )
    chosen = chosen[np.argsort(labels[chosen], kind="stable")]
    examples = [
        {
            "title": "Test images",
            "images": [_image(images[i], f"{classes[labels[i]]}, test image {i}") for i in chosen],
        }
    ]
    for inspected in nets:
        probabilities = predict_images(inspected, dataset, images)
        worst = find_mistakes(probabilities, labels)[:MISTAKES]
        mistakes = [
            _image(
                images[i],
                f"{classes[labels[i]]} taken for {classes[probabilities[i].argmax()]}, "
                f"test image {i}",
            )
            for i in worst
        ]
        if mistakes:
            examples.append({"title": f"Worst mistakes of {inspected.name}", "images": mistakes})
    return {
        "nets": [_net(inspected, dataset) for inspected in nets],
        "classes": classes,
        "inverts": dataset.convention.inverts,
        "examples": examples,
    }


def describe_net(
    net: nn.Sequential, layers: Iterable[Layer], mean: float, std: float
) -> dict[str, Any]:
    """Return a net as `net.js` loads it: its layers, and its weights as base64 of 32-bit floats."""
    state = net.state_dict()
    described, numbers, start = [], [], 0
    for layer in layers:
        tensors = {}
        for name in ("weight", "bias", "running_mean", "running_var"):
            if (tensor := state.get(f"{layer.name}.{name}")) is not None:
                numbers.append(tensor.cpu().numpy().astype("<f4").tobytes())
                tensors[name] = [start, tensor.numel()]
                start += tensor.numel()
        described.append(
            {
                "name": layer.name,
                "kind": layer.kind,
                "inputShape": layer.input_shape,
                "outputShape": layer.output_shape,
                **_settings(layer),
                "tensors": tensors,
            }
        )
    weights = b64encode(b"".join(numbers)).decode()
    return {"layers": described, "weights": weights, "mean": mean, "std": std}


def _settings(layer: Layer) -> dict[str, Any]:
    """Return what a layer's function needs beside its weights; kernels are (height, width)."""
    config = layer.config
    if isinstance(config, Conv):
        return {"kernel": config.window, "stride": config.stride, "padding": config.padding}
    if isinstance(config, Pool):
        sides = {"size": config.size, "stride": config.stride, "padding": config.padding}
        return {"function": config.kind, **sides}
    if layer.kind == "norm":
        return {"eps": NORM_EPS}
    return {"function": config} if layer.kind == "activation" else {}


def _net(inspected: InspectedNet, dataset: Dataset) -> dict[str, Any]:
    layers = plan_layers(inspected.spec.model)
    normalisation = inspected.normalisation(dataset)
    return {
        "name": inspected.name,
        "description": inspected.spec.description,
        "about": _about(inspected, dataset, sum(layer.parameters for layer in layers)),
        **describe_net(inspected.net, layers, *normalisation),
    }


def _about(inspected: InspectedNet, dataset: Dataset, parameters: int) -> list[tuple[str, str]]:
    facts = [
        ("spec", inspected.spec.name),
        ("data", f"{dataset.name}, {dataset.digest[:8]}"),
        ("parameters", f"{parameters:,}"),
    ]
    if run := inspected.run:
        facts.append(("run", run.path.name))
        facts.append(("weights", default_weights(run)))
        if run.is_finished:
            facts.append(("test accuracy", f"{run.result.final[TEST_ACCURACY]:.4f}"))
    return facts


def _image(pixels: NDArray[np.uint8], label: str) -> dict[str, str]:
    return {"label": label, "pixels": b64encode(pixels.tobytes()).decode()}
