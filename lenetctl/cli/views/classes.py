"""Rich tables of results."""

from typing import Any

from rich.table import Table

from lenetctl.cli.console import Console


def print_classes(document: dict[str, Any]) -> None:
    """Print precision, recall and count of each class of an evaluation."""
    table = Table()
    for title in ("class", "precision", "recall", "images"):
        table.add_column(title, justify="left" if title == "class" else "right")
    for name, scores in document["per_class"].items():
        shares = [scores[key] for key in ("precision", "recall")]
        table.add_row(
            name,
            *("-" if share is None else f"{share:.3f}" for share in shares),
            f"{scores['count']:,}",
        )
    Console().print(table)
