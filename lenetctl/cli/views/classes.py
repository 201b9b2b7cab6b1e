"""The classes of an evaluation as a table in the terminal."""

from rich.table import Table

from lenetctl.cli.console import PipeSafeConsole
from lenetctl.runs.records import EvaluationRecord


def print_classes(measured: EvaluationRecord) -> None:
    """Print precision, recall and count of each class of an evaluation."""
    table = Table()
    for title in ("class", "precision", "recall", "images"):
        table.add_column(title, justify="left" if title == "class" else "right")
    for name, scores in measured.per_class.items():
        shares = (scores.precision, scores.recall)
        texts = ("-" if share is None else f"{share:.3f}" for share in shares)
        table.add_row(name, *texts, f"{scores.count:,}")
    PipeSafeConsole().print(table)
