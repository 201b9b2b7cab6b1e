"""A comparison as a table in the terminal, with sparklines where there is room for them."""

import math
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from lenetctl.analysis.comparison import Comparison
from lenetctl.analysis.learning_curves import learning_curve
from lenetctl.cli.console import PlainConsole
from lenetctl.cli.views.comparison import cells, differs_in, notes, titles
from lenetctl.cli.views.sparkline import extent, sparkline
from lenetctl.training.metrics import TRAIN_LOSS

FEWEST_BLOCKS, MOST_BLOCKS = 6, 20  # of a sparkline
GAP = 2  # between columns

Means = dict[str, list[list[float]]]  # by metric, each row's mean over seeds, epoch by epoch


def print_table(shown: Comparison, *, quiet: bool) -> None:
    """Print a table for people, and the notes unless quiet."""
    console = PlainConsole(highlight=False)
    table, captions = _table(shown), notes(shown)
    room = console.width - console.measure(table).maximum - GAP
    if room >= FEWEST_BLOCKS and not console.options.ascii_only and (means := _means(shown)):
        table = _table(shown, _sparklines(means, min(room, MOST_BLOCKS)))
        captions.append(
            f"Epochs: {', below it '.join(means)}, from the first to the last, "
            "mean over seeds; all rows on one scale."
        )
    console.print(table)
    if not quiet:
        for note in captions:
            console.print(note, markup=False)


def _table(shown: Comparison, sparklines: Sequence[str] = ()) -> Table:
    first, *others = titles(shown)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 0, 0, 1))
    table.add_column(first, overflow="fold")
    for title in others:
        table.add_column(title, justify="right", no_wrap=True)
    if sparklines:
        table.add_column("epochs", no_wrap=True)
    for number, row in enumerate(shown.rows):
        name, *numbers = cells(shown, row)
        apart = " ".join(differs_in(shown, row))
        line: list[str | Text] = [Text(f"{name}\n{apart}".rstrip()), *numbers]
        if sparklines:
            line.append(sparklines[number])
        table.add_row(*line)
    return table


def _means(shown: Comparison) -> Means:
    """Return what was measured after every epoch of the metric and the loss."""
    # with a validation split the test set is not read each epoch
    metrics = dict.fromkeys(
        (shown.metric, shown.metric.replace("test/", "validation/"), TRAIN_LOSS)
    )
    found = {
        metric: [learning_curve(group, metric).mean.tolist() for group in shown.groups]
        for metric in metrics
    }
    return {metric: rows for metric, rows in found.items() if extent(rows)}


def _sparklines(means: Means, blocks: int) -> list[str]:
    """Return each row's sparklines below each other; a block is the same epochs in every row."""
    longest = max(len(values) for rows in means.values() for values in rows)
    lines = []
    for rows in means.values():
        limits = extent(rows)
        whole = [values + [math.nan] * (longest - len(values)) for values in rows]
        lines.append([sparkline(values, blocks, limits) for values in whole])
    return ["\n".join(line) for line in zip(*lines, strict=True)]
