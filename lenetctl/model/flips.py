"""A trained net that looks at an image and at its mirror image."""

import math

import torch
from torch import Tensor, nn


class FlipAverage(nn.Module):
    """The mean of the probabilities that a net gives an image and its mirror image."""

    def __init__(self, net: nn.Module) -> None:
        """Take the net, whose weights stay its own."""
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> Tensor:
        """Return the logarithms of the probabilities (B, classes) of images (B, C, H, W)."""
        seen, mirrored = (self.net(x).log_softmax(1) for x in (images, images.flip(3)))
        return torch.logaddexp(seen, mirrored) - math.log(2)
