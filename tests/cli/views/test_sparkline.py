import math

import pytest

from lenetctl.cli.views.sparkline import BLOCKS, extent, sparkline

UP = list(range(8))


def test_a_block_for_each_value():
    assert sparkline(UP, width=20) == BLOCKS
    assert sparkline(UP[::-1], width=8) == BLOCKS[::-1]
    assert sparkline([], width=8) == ""


def test_a_scale_of_ones_own():
    assert sparkline([0.5, 1], width=8, limits=(0, 1)) == "▅█"
    assert sparkline([0.1, 0.1], width=8) == "▁▁"


def test_what_is_not_finite_is_blank_and_sets_no_scale():
    assert sparkline([0, math.nan, math.inf, 1], width=8) == "▁  █"
    assert sparkline([math.nan] * 2, width=8) == "  "
    assert extent([[2, math.nan], [math.inf, 1]]) == (1, 2)
    assert extent([[math.nan], []]) is None


@pytest.mark.parametrize("count", [9, 12, 100, 1001])
def test_many_values_are_averaged_with_their_neighbours(count):
    line = sparkline(list(range(count)), width=8)
    assert len(line) == 8
    assert list(line) == sorted(line)
    assert sparkline([0, 1] * count, width=count, limits=(0, 1)) == "▅" * count
