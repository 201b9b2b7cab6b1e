"""What `lenetctl diagnose` prints: a table of layers, the rates, the findings; and a document."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from lenetctl.analysis.diagnosis import Diagnosis
from lenetctl.analysis.findings import LEAST_FALL
from lenetctl.training.diagnostics.layers import LayerStatistics


def layer_table(layers: Sequence[LayerStatistics], title: str) -> Table:
    """Return the statistics of the layers for people."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=0)
    table.add_column("layer")
    columns = ("mean", "std", "saturated", "dead", "gradient", "to last", "update", "rank")
    for column in columns:
        table.add_column(column, justify="right")
    for layer in layers:
        table.add_row(
            layer.name,
            f"{layer.activation_mean:.3f}",
            f"{layer.activation_std:.2g}",
            f"{layer.saturated:.0%}",
            f"{layer.dead:.0%}",
            f"{layer.gradient_norm:.1e}",
            f"{layer.gradient_ratio:.1e}",
            f"{layer.update_ratio:.1e}",
            f"{layer.effective_rank:.1f}",
        )
    return table


def diagnosis_lines(diagnosis: Diagnosis) -> list[str]:
    """Return what was found out about seeds and rates, and last the findings."""
    tested = diagnosis.range_test
    falls = ", ".join(f"{one.expected_fall:.2g}" for one in diagnosis.beginnings)
    seeds = f"{diagnosis.beginnings[0].seed} to {diagnosis.beginnings[-1].seed}"
    rates = f"steepest at {tested.steepest:.2g}, stable up to {tested.largest_stable:.2g}"
    if not tested.left_guessing:
        rates += ", but at no rate the loss left guessing"
    findings = [str(finding) for finding in diagnosis.findings]
    return [
        f"expected fall of the loss, seeds {seeds}: {falls} nats (it takes {LEAST_FALL:g})",
        f"learning rate: {rates}; suggested: -s training.optimizer.lr={tested.suggestion:g}",
        *(findings or ["nothing found that keeps it from learning"]),
    ]


def diagnosis_document(diagnosis: Diagnosis, picture: Path) -> dict[str, Any]:
    """Return what `diagnose --json` prints of a spec."""
    tested = diagnosis.range_test
    return {
        "findings": [finding.as_dict() for finding in diagnosis.findings],
        "seeds": [asdict(beginning) for beginning in diagnosis.beginnings],
        "range_test": {
            "steepest": tested.steepest,
            "largest_stable": tested.largest_stable,
            "suggestion": tested.suggestion,
            "diverged": tested.diverged,
            "rates": tested.rates,
            "losses": tested.losses,
        },
        "picture": str(picture),
    }
