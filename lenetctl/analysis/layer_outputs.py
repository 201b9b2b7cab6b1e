"""What the layers of a net make of images: exercise 4 of the chapter."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class LayerOutputs(NamedTuple):
    """What a net makes of N images."""

    layers: dict[str, NDArray[np.float32]]  # by name, (N, C, H, W) or (N, features)
    probabilities: NDArray[np.float32]  # (N, classes)


@torch.inference_mode()
def layer_outputs(net: nn.Sequential, images: Tensor, layers: Collection[str]) -> LayerOutputs:
    """Return the outputs of the named `layers` and the softmax of the last; the mode is kept.

    Args:
        net: layers by their names in the plan.
        images: (N, 1, 28, 28), normalised, on the net's device.
        layers: names of modules of `net`.

    """
    was_training = net.training
    net.eval()
    found = {}
    output = images
    for name, module in net.named_children():
        output = module(output)
        if name in layers:
            found[name] = output.cpu().numpy()
    net.train(was_training)
    return LayerOutputs(found, output.softmax(1).cpu().numpy())
