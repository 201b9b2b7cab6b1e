"""Feature maps as a handful of pixels, for a terminal."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lenetctl.figures.activations import most_active
from lenetctl.figures.tiles import Array, Scale, limits

Pixels = NDArray[np.uint8]  # (height, width, RGBA)

SIDE, GAP = 10, 1  # pixels of a tile, and between two
PITCH = SIDE + GAP
_AVERAGE = Image.Resampling.BOX


def previews(inputs: Array, maps: Sequence[Array], width: int) -> Pixels:
    """Return (R, height, width, 4): for each image itself, and beside it its maps.

    A layer is a line of tiles, a dense one (h = 1) a strip. Where `width` has no room for all
    channels, those with the largest mean activation are there. Gaps are transparent.

    Args:
        inputs: (R, H, W) in [0, 1].
        maps: for each layer (R, C, h, w); a layer's maps share one colour scale.
        width: pixels.

    """
    room = max(1, (width + GAP) // PITCH - 1)  # for channels
    canvas = np.zeros((len(inputs), len(maps) * PITCH - GAP, width, 4), np.uint8)
    _draw(canvas[:, :SIDE, :SIDE], inputs, Scale("gray", 0, 1))
    for line, layer in enumerate(maps):
        shown = layer[:, most_active(layer, room)]
        scale = Scale("viridis", *limits(shown))
        side = min(shown.shape[3], room * PITCH - GAP) if shown.shape[2] == 1 else SIDE
        for place in range(shown.shape[1]):
            top, left = line * PITCH, (1 + place) * PITCH
            _draw(canvas[:, top : top + SIDE, left : left + side], shown[:, place], scale)
    return canvas


def _draw(places: Pixels, tiles: Array, scale: Scale) -> None:
    """Fill `places` (R, height, width, RGBA) with `tiles` (R, h, w)."""
    _, low, high = scale
    height, width = places.shape[1:3]
    for place, tile in zip(places, tiles, strict=True):
        values = Image.fromarray(tile.astype(np.float32)).resize((width, height), _AVERAGE)
        place[:] = mpl.colormaps[scale.cmap]((np.asarray(values) - low) / (high - low), bytes=True)
