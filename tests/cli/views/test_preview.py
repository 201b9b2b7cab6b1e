from io import BytesIO, StringIO, TextIOWrapper

import numpy as np
import pytest
from rich.console import Console

from lenetctl.cli.views.preview import can_show, half_blocks

RED, BLUE, NOTHING = (255, 0, 0, 255), (0, 0, 255, 255), (0, 0, 0, 0)


def console(**options):
    usual = {"force_terminal": True, "color_system": "truecolor", "no_color": False}
    return Console(**{"file": StringIO()} | usual | options)


def test_two_pixels_to_a_letter():
    pixels = np.array([[RED, RED, NOTHING, NOTHING], [BLUE, NOTHING, BLUE, NOTHING]], np.uint8)
    (line,) = half_blocks(pixels)
    assert line.plain == "▀▀▄ "
    colours = [
        tuple(colour and tuple(colour.triplet) for colour in (span.style.color, span.style.bgcolor))
        for span in line.spans[:3]
    ]
    assert colours == [(RED[:3], BLUE[:3]), (RED[:3], None), (BLUE[:3], None)]


def test_an_odd_row_has_nothing_below_it():
    lines = list(half_blocks(np.array([[RED], [RED], [BLUE]], np.uint8)))
    assert [line.plain for line in lines] == ["▀", "▀"]
    assert lines[1].spans[0].style.bgcolor is None


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, True),
        ({"no_color": True}, False),
        ({"color_system": "256"}, False),
        ({"force_terminal": False}, False),
    ],
)
def test_only_a_terminal_of_24_bit_colour_is_written_to(options, shown):
    assert can_show(console(**options)) is shown


def test_an_encoding_without_blocks_gets_none():
    poor = TextIOWrapper(BytesIO(), encoding="latin-1")
    assert not can_show(console(file=poor))
