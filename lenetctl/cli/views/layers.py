"""The layers of a net as a table in the terminal."""

from collections.abc import Sequence

from rich.table import Table

from lenetctl.cli.console import PipeSafeConsole
from lenetctl.specs.layer_formats import COLUMNS, layer_rows
from lenetctl.specs.layers import Layer


def print_table(layers: Sequence[Layer], batch: int) -> None:
    """Print a table for people."""
    *body, total = layer_rows(layers, batch)
    table = Table(show_footer=True)
    for title, sum_of_column in zip(COLUMNS, total, strict=True):
        numeric = title in ("parameters", "MACs")
        table.add_column(title, sum_of_column, justify="right" if numeric else "left")
    for row in body:
        table.add_row(*row)
    PipeSafeConsole().print(table)
