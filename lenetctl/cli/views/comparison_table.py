"""A comparison as a table in the terminal, with sparklines where there is room for them."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from lenetctl.analysis.comparison import Comparison
from lenetctl.cli.console import PlainConsole
from lenetctl.cli.views.comparison import cells, differs_in, notes, titles
from lenetctl.cli.views.sparkline import extent, sparkline
from lenetctl.training.metrics import TRAIN_LOSS

FEWEST_BLOCKS, MOST_BLOCKS = 6, 20  # of a sparkline
GAP = 2  # between columns
EPOCHS = "epochs"

Means = dict[str, list[list[float]]]  # by metric, each row's mean over seeds, epoch by epoch


def print_table(shown: Comparison, *, quiet: bool) -> None:
    """Print a table for people, and the notes unless quiet."""
    console = PlainConsole(highlight=False)
    columns, captions = _columns(shown), notes(shown)
    room = console.width - sum(_width(column) + GAP for column in columns)
    if room >= FEWEST_BLOCKS and not console.options.ascii_only and (means := _means(shown)):
        columns.append([EPOCHS, *_sparklines(means, min(room, MOST_BLOCKS))])
        captions.append(
            f"Epochs: {', below it '.join(means)}, from the first to the last, "
            "mean over seeds; all rows on one scale."
        )
    console.print(_table(columns))
    if not quiet:
        for note in captions:
            console.print(note, markup=False)


def _columns(shown: Comparison) -> list[list[str]]:
    """Return the columns, each with its title first."""
    rows = [titles(shown)]
    for row in shown.rows:
        name, *numbers = cells(shown, row)
        apart = " ".join(differs_in(shown, row))
        rows.append([f"{name}\n{apart}".rstrip(), *numbers])
    return [[*column] for column in zip(*rows, strict=True)]


def _table(columns: Sequence[Sequence[str]]) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 0, 0, 1))
    (first, *names), *others = columns
    table.add_column(first, overflow="fold")
    for title, *texts in others:
        width = _width([title, *texts])  # unless it is told rich measures each cell, twice
        justify: JustifyMethod = "left" if title == EPOCHS else "right"
        table.add_column(title, justify=justify, no_wrap=True, width=width)
    for name, *rest in zip(names, *(column[1:] for column in others), strict=True):
        table.add_row(Text(name), *rest)
    return table


def _width(column: Sequence[str]) -> int:
    """Return how wide the longest line of a column is."""
    return max(cell_len(line) for cell in column for line in cell.split("\n"))


def _means(shown: Comparison) -> Means:
    """Return what was measured after every epoch of the metric and the loss."""
    # with a validation split the test set is not read each epoch
    metrics = dict.fromkeys(
        (shown.metric, shown.metric.replace("test/", "validation/"), TRAIN_LOSS)
    )
    found = {
        metric: [_mean(group.by_epoch(metric)) for group in shown.groups] for metric in metrics
    }
    return {metric: rows for metric, rows in found.items() if extent(rows)}


def _mean(values: Mapping[int, Sequence[float]]) -> list[float]:
    return [fmean(known) if known else math.nan for known in values.values()]


def _sparklines(means: Means, blocks: int) -> list[str]:
    """Return each row's sparklines below each other; a block is the same epochs in every row."""
    longest = max(len(values) for rows in means.values() for values in rows)
    lines = []
    for rows in means.values():
        limits = extent(rows)
        whole = [values + [math.nan] * (longest - len(values)) for values in rows]
        lines.append([sparkline(values, blocks, limits) for values in whole])
    return ["\n".join(line) for line in zip(*lines, strict=True)]
