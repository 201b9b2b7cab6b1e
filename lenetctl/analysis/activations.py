"""What the layers of a net, trained or not, make of test images and of the user's pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from lenetctl import specs
from lenetctl.analysis.layer_outputs import layer_outputs
from lenetctl.data.dataset import Dataset, Split
from lenetctl.data.device import DeviceSplit
from lenetctl.data.images import read_image
from lenetctl.errors import DataError, UsageError
from lenetctl.model.build import build_model
from lenetctl.runs.folder import Run
from lenetctl.runs.weights import default_weights, load_net
from lenetctl.specs.schema import Spec

LAYERS = 2  # the exercise asks for the first and the second
CLASSES = {"fashion_mnist": ("pullover", "coat")}  # its sweaters and coats; elsewhere the first two


@dataclass(frozen=True, eq=False)
class InspectedNet:
    """A net to look into."""

    name: str
    spec: Spec
    net: nn.Sequential
    run: Run | None  # None: untrained
    weights: str = ""  # which of the run's: best or last

    @classmethod
    def trained(cls, run: Run, weights: str | None) -> "InspectedNet":
        """Return a run's net with its weights `last` or `best`.

        Raises:
            CheckpointError: weights that are missing, damaged or of another net.

        """
        return cls(
            run.name, run.spec(), load_net(run, weights), run, weights or default_weights(run)
        )

    @classmethod
    def untrained(cls, spec: Spec) -> "InspectedNet":
        """Return the net as training would begin with it."""
        return cls(
            f"{spec.name} untrained", spec, build_model(spec.model, spec.training.seed), None
        )

    def class_name(self, output: int, dataset: Dataset) -> str:
        """Return what an output stands for; there are ten, a folder may have fewer classes.

        A folder's classes can have changed since the net was trained: its own count.
        """
        names = (self.run and self.run.classes) or dataset.classes
        return names[output] if output < len(names) else f"output {output}"

    def normalisation(self, dataset: Dataset) -> tuple[float, float]:
        """Return the mean and deviation that pixels in [0, 1] of its training data had taken off.

        An untrained net is shown `dataset` as its spec has it.
        """
        if self.run:
            data = self.run.record.data
            return data.mean, data.std
        return dataset.normalisation(self.spec.data)


def pair_nets(
    first: InspectedNet, other: InspectedNet, typed: tuple[str, str]
) -> list[InspectedNet]:
    """Return two nets to be shown the same images, each with a name of its own.

    `typed` is what the user called them, for the message.

    Raises:
        UsageError: they are for different data sets.

    """
    ours, theirs = (one.spec.data.folder or one.spec.data.dataset for one in (first, other))
    if ours != theirs:
        raise UsageError(f"--compare {typed[1]}: it is for {theirs}, {typed[0]} for {ours}")
    if other.name == first.name:
        other = replace(other, name=f"{other.name} (compared)")
    return [first, other]


@dataclass(frozen=True, eq=False)
class Inputs:
    """R images to show to nets, as bytes from 0 to 255."""

    images: NDArray[np.uint8]  # (R, 28, 28)
    labels: list[str]  # R classes, or names of files


@dataclass(frozen=True)
class Prediction:
    """What a net takes an input for."""

    label: str  # the input's
    prediction: str  # the class of the highest probability
    probability: float

    def __str__(self) -> str:
        """Return `coat → pullover 0.62`."""
        return f"{self.label} → {self.prediction} {self.probability:.2f}"


@dataclass(frozen=True, eq=False)
class Activations:
    """What one net makes of R inputs."""

    inputs: Inputs  # R
    layers: dict[str, NDArray[np.float32]]  # by name, (R, C, H, W) or (R, features)
    predictions: list[Prediction]  # R

    def maps(self) -> list[NDArray[np.float32]]:
        """Return each layer as (R, C, H, W) to be drawn; a dense one is a strip (R, 1, 1, C)."""
        layers = self.layers.values()
        return [layer if layer.ndim == 4 else layer[:, None, None] for layer in layers]


def choose_inputs(
    dataset: Dataset, classes: Sequence[str] | None, per_class: int, pictures: Sequence[Path]
) -> Inputs:
    """Return the first `per_class` test images of each class, then the pictures.

    Raises:
        UsageError: an unknown class, a picture that cannot be read, or nothing to show.

    """
    if classes is None:
        classes = CLASSES.get(dataset.name, dataset.classes[:2])
    images, labels = [], []
    for number in (class_number(dataset, name, "--classes") for name in classes):
        members = dataset.test.images[dataset.test.labels == number][:per_class]
        images += list(members.numpy())
        labels += [dataset.classes[number]] * len(members)
    try:
        images += [read_image(path, dataset.convention) for path in pictures]
    except DataError as error:  # an argument that is wrong, not the data set
        raise UsageError(str(error)) from error
    labels += [path.name.encode(errors="replace").decode() for path in pictures]
    if not images:
        raise UsageError("nothing to show: give --classes or an --image")
    return Inputs(np.stack(images), labels)


def choose_layers(spec: Spec, wanted: Sequence[str] | None, option: str = "--layers") -> list[str]:
    """Return names of layers; N is the Nth convolution or dense layer, once it is activated.

    Raises:
        UsageError: there is no such layer; the message begins with the `option`.

    """
    plan = specs.plan_layers(spec.model)
    numbered = []
    for i, layer in enumerate(plan):
        if layer.kind in ("conv", "dense"):
            after = next((next_ for next_ in plan[i + 1 :] if next_.kind != "norm"), layer)
            numbered.append(after.name if after.kind == "activation" else layer.name)
    if not wanted:
        return numbered[:LAYERS]
    names = {layer.name: layer.name for layer in plan}
    names |= {str(n): name for n, name in enumerate(numbered, 1)}
    for name in wanted:
        if name not in names:
            there = f"1 to {len(numbered)}, {', '.join(layer.name for layer in plan)}"
            raise UsageError(f"{option} {name}: {spec.name} has no such layer (it has {there})")
    return list(dict.fromkeys(names[name] for name in wanted))


def compute_activations(
    inspected: InspectedNet, dataset: Dataset, inputs: Inputs, layers: Sequence[str]
) -> Activations:
    """Return what `layers` make of `inputs`, normalised as the net knows them, and its guesses.

    Args:
        inspected: the net.
        dataset: names the classes, and the normalisation of an untrained net.
        inputs: R images.
        layers: names as `choose_layers` returns them; the result keeps their order.

    """
    split = Split(torch.from_numpy(inputs.images), torch.zeros(len(inputs.labels)))
    images = DeviceSplit(split, "cpu", *inspected.normalisation(dataset)).all_images()
    found = layer_outputs(inspected.net, images, layers)
    predictions = [
        Prediction(label, inspected.class_name(number, dataset), float(probabilities[number]))
        for label, probabilities, number in zip(
            inputs.labels, found.probabilities, found.probabilities.argmax(1), strict=True
        )
    ]
    return Activations(inputs, {name: found.layers[name] for name in layers}, predictions)


def class_number(dataset: Dataset, wanted: str, option: str) -> int:
    """Return the number of a class by its name, whatever its capitals, or by its number.

    Raises:
        UsageError: there is no such class; the message begins with the `option`.

    """
    for number, name in enumerate(dataset.classes):
        if wanted.casefold() == name.casefold():
            return number
    numbers = {str(number): number for number in range(len(dataset.classes))}
    if wanted not in numbers:
        there = ", ".join(f"{number} {name}" for number, name in enumerate(dataset.classes))
        raise UsageError(f"{option} {wanted}: {dataset.name} has no such class (it has {there})")
    return numbers[wanted]
