"""Small tables in the terminal: the layers of a net, the classes of an evaluation."""

from collections.abc import Sequence

from rich.table import Table

from lenetctl.cli.console import PlainConsole
from lenetctl.runs.records import EvaluationRecord
from lenetctl.specs.layer_formats import COLUMNS, layer_rows
from lenetctl.specs.layers import Layer


def print_classes(measured: EvaluationRecord) -> None:
    """Print precision, recall and count of each class of an evaluation."""
    table = Table()
    for title in ("class", "precision", "recall", "images"):
        table.add_column(title, justify="left" if title == "class" else "right")
    for name, scores in measured.per_class.items():
        shares = (scores.precision, scores.recall)
        texts = ("-" if share is None else f"{share:.3f}" for share in shares)
        table.add_row(name, *texts, f"{scores.count:,}")
    PlainConsole().print(table)


def print_table(layers: Sequence[Layer], batch: int) -> None:
    """Print a table for people."""
    *body, total = layer_rows(layers, batch)
    table = Table(show_footer=True)
    for title, sum_of_column in zip(COLUMNS, total, strict=True):
        numeric = title in ("parameters", "MACs")
        table.add_column(title, sum_of_column, justify="right" if numeric else "left")
    for row in body:
        table.add_row(*row)
    PlainConsole().print(table)
