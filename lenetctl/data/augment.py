"""Random changes of images, drawn anew for each image, on the device that holds them.

Images are (N, 1, H, W) with black at 0, which is what comes in at the borders.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, grid_sample, pad

from lenetctl.specs.data import Affine, Augmentation, Erase, Flip, Shift


def augment_images(images: Tensor, augment: Sequence[Augmentation], generator: Generator) -> Tensor:
    """Return `images` changed by each augmentation in turn, drawing from `generator`."""
    for augmentation in augment:
        images = _APPLY[augmentation.kind](images, augmentation, generator)
    return images


def _flip(images: Tensor, flip: Flip, generator: Generator) -> Tensor:
    chosen = _uniform(len(images), generator) < flip.p
    return torch.where(chosen.view(-1, 1, 1, 1), images.flip(3), images)


def _shift(images: Tensor, shift: Shift, generator: Generator) -> Tensor:
    count, _, height, width = images.shape
    limit, device = shift.pixels, images.device
    down, right = torch.randint(
        -limit, limit + 1, (2, count, 1, 1), generator=generator, device=device
    )
    padded = pad(images, (limit, limit, limit, limit))
    rows = torch.arange(limit, limit + height, device=device).view(1, -1, 1) - down
    columns = torch.arange(limit, limit + width, device=device).view(1, 1, -1) - right
    image = torch.arange(count, device=device).view(-1, 1, 1)
    return padded[image, 0, rows, columns].unsqueeze(1)


def _affine(images: Tensor, affine: Affine, generator: Generator) -> Tensor:
    def draw(limit: float) -> Tensor:
        return (2 * _uniform(len(images), generator) - 1) * limit

    angle, shear = draw(math.radians(affine.degrees)), draw(math.radians(affine.shear))
    scale = 1 + draw(affine.scale)
    right, down = draw(2 * affine.translate), draw(2 * affine.translate)  # a side has length 2
    # grid_sample asks where each pixel comes from: the inverse of shear, then rotation and scale
    cos, sin, tan = angle.cos() / scale, angle.sin() / scale, shear.tan()
    a, b, c, d = cos + tan * sin, sin - tan * cos, -sin, cos
    rows = (a, b, -(a * right + b * down), c, d, -(c * right + d * down))
    theta = torch.stack(rows, dim=1).view(-1, 2, 3)
    grid = affine_grid(theta, list(images.shape), align_corners=False)
    return grid_sample(images, grid, align_corners=False)


def _erase(images: Tensor, erase: Erase, generator: Generator) -> Tensor:
    count, _, height, width = images.shape

    def span(size: int) -> Tensor:  # (N, size), true along one side of the square
        first = (_uniform(count, generator) * (size - erase.pixels + 1)).long().view(-1, 1)
        place = torch.arange(size, device=images.device)
        return (place >= first) & (place < first + erase.pixels)

    chosen = _uniform(count, generator) < erase.p
    square = span(height).view(-1, 1, height, 1) & span(width).view(-1, 1, 1, width)
    return images.masked_fill(square & chosen.view(-1, 1, 1, 1), 0.0)


def _uniform(count: int, generator: Generator) -> Tensor:
    return torch.rand(count, generator=generator, device=generator.device)


_APPLY: dict[str, Callable[[Tensor, Any, Generator], Tensor]] = {
    "flip": _flip,
    "shift": _shift,
    "affine": _affine,
    "erase": _erase,
}
