"""What nets make of images, told in the terminal, and shown where it has 24-bit colour."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.text import Text

from lenetctl.analysis.activations import Inputs, NetOutputs
from lenetctl.cli.console import Screen
from lenetctl.cli.views.activations import as_maps, words
from lenetctl.figures import previews

Pixel = NDArray[np.uint8]  # red, green, blue, opacity


def tell(screen: Screen, inputs: Inputs, looks: dict[str, NetOutputs]) -> None:
    """Print what each net takes each input for, on a capable terminal with small pictures."""
    for name, one in looks.items():
        screen.say(name)
        pictures = {}
        if can_show(screen.console) and not (screen.quiet or screen.as_json):
            pictures = _previews(screen.console, inputs, one, len(looks))
        for number, row in enumerate(one.rows):
            screen.say(f"  {words(row)}")
            for line in pictures.get(number, []):
                screen.console.print("  ", line, sep="")


def _previews(
    console: Console, inputs: Inputs, one: NetOutputs, nets: int
) -> dict[int, list[Text]]:
    """Return lines for the first input of each label, by its row, as many as fit the screen."""
    firsts = [inputs.labels.index(label) for label in dict.fromkeys(inputs.labels)]
    maps = [as_maps(layer)[firsts] for layer in one.maps.values()]
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
