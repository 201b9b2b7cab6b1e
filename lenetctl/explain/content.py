"""What the page shows: nets with their weights, and images, as a JSON document."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from lenetctl.analysis.activations import InspectedNet
from lenetctl.analysis.predictions import class_names, predict_images
from lenetctl.data.dataset import Dataset
from lenetctl.model.modules import Convolution, Resize
from lenetctl.runs.mistakes import find_mistakes
from lenetctl.runs.weights import kept_epochs, load_net
from lenetctl.specs import INPUT_SHAPE, plan_layers
from lenetctl.specs.layers import CLASSES, Layer
from lenetctl.specs.schema import Conv, Pool
from lenetctl.training.checkpoint import read_checkpoint

PER_CLASS = 2
MISTAKES = 20
# of a layer, in this order
TENSORS = ("weight", "bias", "running_mean", "running_var", "codes", "matrix")
MOST_BYTES = 10_000_000  # of the weights of kept epochs, as base64; of more, some are left out
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
    documents = []
    for inspected in nets:
        probabilities = predict_images(inspected, dataset, images)
        documents.append(_net(inspected, dataset, probabilities))
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
        "nets": documents,
        "classes": classes,
        "inverts": dataset.convention.inverts,
        "examples": examples,
    }


def describe_net(
    net: nn.Sequential, layers: Iterable[Layer], mean: float, std: float
) -> dict[str, Any]:
    """Return a net as `net.js` loads it: its layers, and its weights as base64 of 32-bit floats."""
    state = _state(net)
    described, start = [], 0
    for layer in layers:
        tensors = {}
        for name in TENSORS:
            if (tensor := state.get(f"{layer.name}.{name}")) is not None:
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
    return {"layers": described, "weights": _weights(net), "mean": mean, "std": std}


def _state(net: nn.Sequential) -> dict[str, Tensor]:
    """Return all tensors by name; kernels complete, with zeros where maps are not connected."""
    state = net.state_dict()
    for name, module in net.named_children():
        if isinstance(module, Convolution):
            state[f"{name}.weight"] = module.kernels().detach()
        elif isinstance(module, Resize):
            state[f"{name}.matrix"] = module.matrix(INPUT_SHAPE[1])
    return state


def _weights(net: nn.Sequential) -> str:
    """Return the numbers of all layers, in the order of the net and of `TENSORS`."""
    state = _state(net)
    names = (f"{layer}.{name}" for layer, _ in net.named_children() for name in TENSORS)
    numbers = (state[name].cpu().numpy().astype("<f4").tobytes() for name in names if name in state)
    return b64encode(b"".join(numbers)).decode()


def _settings(layer: Layer) -> dict[str, Any]:
    """Return what a layer's function needs beside its weights; kernels are (height, width)."""
    config = layer.config
    if isinstance(config, Conv):
        sides = {"kernel": config.window, "stride": config.stride, "padding": config.padding}
        return {"border": config.padding_value, **sides}
    if isinstance(config, Pool):
        sides = {"size": config.size, "stride": config.stride, "padding": config.padding}
        return {"function": config.kind, **sides}
    if layer.kind == "norm":
        return {"eps": NORM_EPS}
    return {"function": config} if layer.kind == "activation" else {}


def _net(
    inspected: InspectedNet, dataset: Dataset, probabilities: NDArray[np.float32]
) -> dict[str, Any]:
    layers = plan_layers(inspected.spec.model)
    normalisation = inspected.normalisation(dataset)
    described = describe_net(inspected.net, layers, *normalisation)
    own = _measured(probabilities, dataset)
    epochs, shown = _epochs(inspected, dataset, own, len(described["weights"]))
    return {
        "name": inspected.name,
        "description": inspected.spec.description,
        "about": [*_about(inspected, dataset), ("test accuracy", f"{own['accuracy']:.4f}")],
        "epochs": epochs,
        "shown": shown,
        **described,
    }


def _epochs(
    inspected: InspectedNet, dataset: Dataset, own: dict[str, Any], size: int
) -> tuple[list[dict[str, Any]], int]:
    """Return the epochs to choose among, and which of them has the net's own weights.

    What an epoch has without weights is measured with the net's own. `size` is that of one net.
    """
    run = inspected.run
    if run is None:
        return [{"epoch": 0, **own}], 0
    is_best = inspected.weights == "best"
    at = int(read_checkpoint(run.best).numbers["epoch"]) if is_best else len(run.epochs())
    others = [epoch for epoch in kept_epochs(run) if epoch != at]
    if len(others) * size > MOST_BYTES:
        most = max(1, MOST_BYTES // size)
        others = [others[n] for n in np.linspace(0, len(others) - 1, most).astype(int)]
    found = [{"epoch": at, **own}]
    images = dataset.test.images.numpy()
    for epoch in others:
        then = replace(inspected, net=load_net(run, epoch))
        measured = _measured(predict_images(then, dataset, images), dataset)
        found.append({"epoch": epoch, "weights": _weights(then.net), **measured})
    found.sort(key=itemgetter("epoch"))
    return found, next(n for n, one in enumerate(found) if "weights" not in one)


def _measured(probabilities: NDArray[np.float32], dataset: Dataset) -> dict[str, Any]:
    """Return accuracy and confusion on the test set, (K, 10) counts; rows: truth."""
    labels, predicted = dataset.test.labels.numpy(), probabilities.argmax(1)
    confusion = np.zeros((len(dataset.classes), CLASSES), int)
    np.add.at(confusion, (labels, predicted), 1)
    return {"accuracy": float((labels == predicted).mean()), "confusion": confusion.tolist()}


def _about(inspected: InspectedNet, dataset: Dataset) -> list[tuple[str, str]]:
    parameters = sum(layer.parameters for layer in plan_layers(inspected.spec.model))
    facts = [
        ("spec", inspected.spec.name),
        ("data", f"{dataset.name}, {dataset.digest[:8]}"),
        ("parameters", f"{parameters:,}"),
    ]
    if run := inspected.run:
        facts.append(("run", run.path.name))
        facts.append(("weights", inspected.weights))
    return facts


def _image(pixels: NDArray[np.uint8], label: str) -> dict[str, str]:
    return {"label": label, "pixels": b64encode(pixels.tobytes()).decode()}
