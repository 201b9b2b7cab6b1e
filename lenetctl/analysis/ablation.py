"""What a net loses when a part is taken away: a channel of a layer, a square of an image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lenetctl.analysis.activations import InspectedNet, choose_layers
from lenetctl.data.dataset import Dataset, Split
from lenetctl.data.device import DeviceSplit
from lenetctl.errors import UsageError
from lenetctl.specs.layers import CLASSES, INPUT_SHAPE
from lenetctl.specs.schema import Spec
from lenetctl.training.evaluate import BATCH

SQUARE = 5  # pixels: the side of what covers an image


@dataclass(frozen=True, eq=False)
class LayerAblation:
    """What each of C channels is worth to K classes and to all images, as fractions of them.

    A fraction of 0.2: of the class's images 20 % more are right with the channel than without.
    """

    layer: str
    lost: NDArray[np.float64]  # (C, K); NaN where the split has no image of a class
    lost_of_all: NDArray[np.float64]  # (C,)

    def order(self) -> list[int]:
        """Return the channels, those that all images lose most by first."""
        return [int(channel) for channel in np.argsort(-self.lost_of_all, kind="stable")]


def channel_layers(spec: Spec, wanted: Sequence[str] | None) -> list[str]:
    """Return the layers whose channels are silenced: as `wanted`, else each activated convolution.

    Raises:
        UsageError: there is no such layer, or no convolution to take.

    """
    if wanted or spec.model.conv:
        convolutions = [str(number) for number in range(1, len(spec.model.conv) + 1)]
        return choose_layers(spec, wanted or convolutions, "--layer")
    raise UsageError(f"{spec.name} has no convolution: name layers with --layer")


@torch.inference_mode()
def ablate_channels(
    inspected: InspectedNet, dataset: Dataset, split: Split, layers: Sequence[str]
) -> list[LayerAblation]:
    """Return what the classes of `split` lose with each channel of `layers`, one at a time.

    In the channel's place the net is given its mean over the training images, place by place: so
    what is lost is what the channel says of an image, not that it is there.
    """
    net = inspected.net.eval()
    means = _mean_outputs(net, layers, _prepared(inspected, dataset, dataset.train))
    images = _prepared(inspected, dataset, split)
    return [_ablate(net, name, means[name], images, len(dataset.classes)) for name in layers]


@torch.inference_mode()
def occlude(
    inspected: InspectedNet, dataset: Dataset, images: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Return what each place of images (R, 28, 28) is worth to the class that the net names.

    The value of a pixel is how far the probability of that class falls when the 5×5 square around
    the pixel is covered by the mean of the training images there; (R, 28, 28).
    """
    net = inspected.net.eval()
    _, height, width = INPUT_SHAPE
    prepared = _prepared(inspected, dataset, Split(torch.from_numpy(images), torch.empty(0)))
    ground = _prepared(inspected, dataset, dataset.train).all_images().mean(0)  # (1, 28, 28)
    reach = SQUARE // 2
    found = np.empty(images.shape, np.float32)
    for number, image in enumerate(prepared.all_images()):
        covered = image.repeat(height * width, 1, 1, 1)
        for place, one in enumerate(covered):
            row, column = divmod(place, width)
            rows = slice(max(0, row - reach), row + reach + 1)
            columns = slice(max(0, column - reach), column + reach + 1)
            one[:, rows, columns] = ground[:, rows, columns]
        whole = net(image[None]).softmax(1)[0]
        named = whole.argmax()
        fallen = whole[named] - net(covered).softmax(1)[:, named]
        found[number] = fallen.reshape(height, width).numpy()
    return found


def _prepared(inspected: InspectedNet, dataset: Dataset, split: Split) -> DeviceSplit:
    return DeviceSplit(split, "cpu", *inspected.normalisation(dataset))


def _mean_outputs(
    net: nn.Sequential, layers: Sequence[str], train: DeviceSplit
) -> dict[str, Tensor]:
    """Return the mean of each layer's output over all images, (C, H, W) or (C,)."""
    sums: dict[str, Tensor] = {}
    for images, _ in train.batches(BATCH):
        output = images
        for name, module in net.named_children():
            output = module(output)
            if name in layers:
                total = output.sum(0, dtype=torch.float64)
                sums[name] = sums[name] + total if name in sums else total
    return {name: (total / len(train)).float() for name, total in sums.items()}


def _ablate(
    net: nn.Sequential, layer: str, mean: Tensor, images: DeviceSplit, classes: int
) -> LayerAblation:
    after = [name for name, _ in net.named_children()].index(layer) + 1
    head, tail = net[:after], net[after:]
    right = torch.zeros(len(mean) + 1, CLASSES)  # of the whole net, then without each channel
    for batch, labels in images.batches(BATCH):
        output = head(batch)
        for row in range(len(right)):
            silenced = output.clone()
            if row:
                silenced[:, row - 1] = mean[row - 1]
            hits = labels[tail(silenced).argmax(1) == labels]
            right[row] += torch.bincount(hits, minlength=CLASSES)
    counts = torch.bincount(images.labels, minlength=CLASSES)[:classes].double().numpy()
    fallen = (right[0] - right[1:])[:, :classes].double().numpy()
    with np.errstate(invalid="ignore"):
        return LayerAblation(layer, fallen / counts, fallen.sum(1) / counts.sum())
