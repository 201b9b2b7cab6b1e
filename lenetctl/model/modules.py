"""Layers that torch does not have: those of LeCun et al., "Gradient-based learning" (1998)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, interpolate, pad

if TYPE_CHECKING:
    from lenetctl.specs.schema import Conv, Pool


class ScaledTanh(nn.Module):
    """1.7159 tanh(2x / 3), which is about 1 at 1 and about -1 at -1."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the function of each number."""
        return 1.7159 * torch.tanh(x * (2 / 3))


class Resize(nn.Module):
    """Images of another size, each pixel a mean of those around it (bilinear, antialiased)."""

    def __init__(self, side: int) -> None:
        """Take the new side in pixels."""
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, side, side) of (B, C, H, W)."""
        return interpolate(x, (self.side, self.side), mode="bilinear", antialias=True)

    def matrix(self, side: int) -> Tensor:
        """Return M (new side, side): an image X becomes M X Mᵀ."""
        rows = torch.eye(side).view(1, 1, side, side)
        return interpolate(rows, (self.side, side), mode="bilinear", antialias=True)[0, 0]


class Convolution(nn.Conv2d):
    """A convolution with what torch's lacks.

    Its padding has a value, its outputs read some of its inputs only, or it has a bias for each
    place of its output.
    """

    def __init__(self, inputs: int, conv: Conv, output_shape: tuple[int, ...]) -> None:
        """Take the number of input channels, the spec's entry, and the maps that are left."""
        super().__init__(inputs, conv.channels, conv.kernel, conv.stride, bias=conv.bias)
        self.border, self.border_value = conv.padding, conv.padding_value
        self.connections = conv.connections
        if conv.connections:
            pairs = [o * inputs + i for o, read in enumerate(conv.connections) for i in read]
            self.register_buffer("pairs", torch.tensor(pairs), persistent=False)
            self.weight = nn.Parameter(self.weight.new_empty(len(pairs), 1, *self.kernel_size))
        if conv.unit_bias and self.bias is not None:
            self.bias = nn.Parameter(self.bias.detach().view(-1, 1, 1).repeat(1, *output_shape[1:]))

    def kernels(self) -> Tensor:
        """Return all kernels (O, C, K, K), zeros where there is no connection."""
        if not self.connections:
            return self.weight
        shape = (self.out_channels, self.in_channels, *self.kernel_size)
        complete = self.weight.new_zeros(shape[0] * shape[1], 1, *self.kernel_size)
        return complete.index_copy(0, self.get_buffer("pairs"), self.weight).view(shape)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  torch's name
        """Return (B, O, H', W') of (B, C, H, W)."""
        framed = pad(input, (self.border,) * 4, value=self.border_value)
        if self.bias is None or self.bias.dim() == 1:
            return conv2d(framed, self.kernels(), self.bias, self.stride)
        return conv2d(framed, self.kernels(), stride=self.stride) + self.bias


class Subsampling(nn.Module):
    """The sum of each window, times a weight, plus a bias; one of both for each channel."""

    def __init__(self, channels: int, pool: Pool) -> None:
        """Take the number of channels and the spec's entry; `initialise` fills the weights."""
        super().__init__()
        self.size, self.stride, self.padding = pool.size, pool.stride, pool.padding
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, H', W') of (B, C, H, W)."""
        sums = avg_pool2d(x, self.size, self.stride, self.padding, divisor_override=1)
        return sums * self.weight.view(-1, 1, 1) + self.bias.view(-1, 1, 1)


class RbfOutput(nn.Module):
    """Euclidean radial basis functions: minus the squared distance to the code of each class.

    So the highest output is the class whose code is nearest, and softmax makes probabilities of
    the outputs, as of those of a dense layer.
    """

    codes: Tensor  # (classes, units), of +1 and -1

    def __init__(self, codes: tuple[str, ...]) -> None:
        """Take codes of the signs # for +1 and . for -1."""
        super().__init__()
        signs = [[1.0 if sign == "#" else -1.0 for sign in code] for code in codes]
        self.register_buffer("codes", torch.tensor(signs))

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, classes) of (B, units)."""
        return -(x.unsqueeze(1) - self.codes).square().sum(2)


WEIGHTED = (nn.Conv2d, nn.Linear, Subsampling)  # the kinds of layers that `init` fills
