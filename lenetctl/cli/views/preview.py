"""Small pictures of feature maps, for a terminal of 24-bit colour."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.text import Text

from lenetctl.analysis.activations import Activations, Inputs
from lenetctl.figures import previews

Pixel = NDArray[np.uint8]  # red, green, blue, opacity


def draw_previews(
    console: Console, inputs: Inputs, activations: Activations, nets: int
) -> dict[int, list[Text]]:
    """Return lines for the first input of each label, by its row, as many as fit the screen.

    `nets` share the screen's height.
    """
    firsts = [inputs.labels.index(label) for label in dict.fromkeys(inputs.labels)]
    maps = [layer[firsts] for layer in activations.maps()]
    pixels = previews(inputs.images[firsts] / 255, maps, console.width - 2)
    pictures = [list(half_blocks(picture)) for picture in pixels]
    room = console.height // nets // (len(pictures[0]) + 1)
    return dict(zip(firsts[: max(1, room)], pictures, strict=False))


def can_show(console: Console) -> bool:
    """Return whether `console` shows blocks in any colour."""
    colourful = console.color_system == "truecolor" and not console.no_color
    return console.is_terminal and colourful and not console.options.ascii_only


def half_blocks(pixels: NDArray[np.uint8]) -> Iterator[Text]:
    """Yield the lines of a picture (height, width, RGBA): two pixels to a letter, upper and lower.

    Where the picture is transparent they are blank; an odd last row has nothing below it.
    """
    if len(pixels) % 2:
        pixels = np.pad(pixels, ((0, 1), (0, 0), (0, 0)))
    for upper, lower in zip(pixels[::2], pixels[1::2], strict=True):
        yield Text.assemble(*(_cell(*two) for two in zip(upper, lower, strict=True)))


def _cell(upper: Pixel, lower: Pixel) -> tuple[str, Style]:
    if not upper[3]:
        return ("▄", Style(color=_colour(lower))) if lower[3] else (" ", Style())
    return "▀", Style(color=_colour(upper), bgcolor=_colour(lower) if lower[3] else None)


def _colour(pixel: Pixel) -> Color:
    return Color.from_rgb(*map(int, pixel[:3]))
