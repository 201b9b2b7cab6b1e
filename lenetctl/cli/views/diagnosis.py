"""What `lenetctl diagnose` prints: a table of layers, the rates, the findings; and a document."""

from collections.abc import Sequence
from dataclasses import asdict
from math import inf
from pathlib import Path
from typing import Any

from rich.table import Table

from lenetctl.analysis.diagnosis.run import RunDiagnosis
from lenetctl.analysis.diagnosis.spec import Diagnosis
from lenetctl.training.diagnostics.layers import LayerStatistics
from lenetctl.training.diagnostics.rehearsal import Rehearsal

UNLEARNED = ("plateau", "diverged")
SHOWN = 20  # dead units by name


def layer_table(layers: Sequence[LayerStatistics], title: str) -> Table:
    """Return the statistics of the layers for people."""
    columns = ("mean", "std", "saturated", "dead", "gradient", "to last", "update", "rank")
    table = _table(title, columns)
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


def run_table(told: RunDiagnosis, title: str) -> Table:
    """Return what training has made of each layer, from the beginning to now."""
    columns = ("std", "saturated", "dead", "gradient", "rank", "moved")
    table = _table(f"{title}, before training → now", columns)
    for before, layer in zip(told.spec.beginnings[0].layers, told.trained, strict=False):
        now = layer.statistics
        table.add_row(
            now.name,
            f"{before.activation_std:.2g} → {now.activation_std:.2g}",
            f"{before.saturated:.0%} → {now.saturated:.0%}",
            f"{before.dead:.0%} → {now.dead:.0%}",
            f"{before.gradient_norm:.0e} → {now.gradient_norm:.0e}",
            f"{before.effective_rank:.1f} → {now.effective_rank:.1f}",
            f"{layer.moved:.2g}",
        )
    return table


def run_lines(told: RunDiagnosis) -> list[str]:
    """Return how the run ended, and what became of its layers."""
    lines = [f"outcome: {told.outcome}"]
    if told.outcome in UNLEARNED:
        lines.append(f"reason: {told.reason}")
    if not told.trained:
        return [*lines, "no epoch was done, so there are no trained weights to look into"]
    dead = [unit for layer in told.trained for unit in layer.dead_units]
    if dead:
        more = f" and {len(dead) - SHOWN} more" if len(dead) > SHOWN else ""
        lines.append(f"dead units: {', '.join(dead[:SHOWN])}{more}")
    if told.unmoved:
        lines.append(f"layers that did not move: {', '.join(told.unmoved)}")
    return lines


def run_document(told: RunDiagnosis) -> dict[str, Any]:
    """Return what `diagnose --json` prints of a run beside the diagnosis of its spec."""
    return {
        "outcome": told.outcome,
        "reason": told.reason if told.outcome in UNLEARNED else None,
        "trained": [asdict(layer.statistics) | {"moved": layer.moved} for layer in told.trained],
        "dead_units": [unit for layer in told.trained for unit in layer.dead_units],
        "unmoved": told.unmoved,
    }


def diagnosis_lines(diagnosis: Diagnosis) -> list[str]:
    """Return what was found out about seeds and rates, and last the findings."""
    tested, own = diagnosis.range_test, diagnosis.beginnings[0]
    falls = ", ".join(f"{one.expected_fall:.2g}" for one in diagnosis.beginnings)
    seeds = f"{own.seed} to {diagnosis.beginnings[-1].seed}"
    rates = f"steepest at {tested.steepest:.2g}, stable up to {tested.largest_stable:.2g}"
    if not tested.left_guessing:
        rates += ", but at no rate the loss left guessing"
    findings = [str(finding) for finding in diagnosis.findings]
    return [
        f"expected fall of the loss, seeds {seeds}: {falls} nats",
        _rehearsal_line(diagnosis.rehearsal),
        f"learning rate: {rates}; suggested: -s training.optimizer.lr={tested.suggestion:g}",
        *(findings or ["nothing found that keeps it from learning"]),
    ]


def diagnosis_document(diagnosis: Diagnosis, picture: Path) -> dict[str, Any]:
    """Return what `diagnose --json` prints of a spec."""
    tested = diagnosis.range_test
    return {
        "findings": [finding.as_dict() for finding in diagnosis.findings],
        "rehearsal": _rehearsal_document(diagnosis.rehearsal),
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


def _rehearsal_line(rehearsal: Rehearsal) -> str:
    ended = "diverged" if rehearsal.loss == inf else f"ended at a loss of {rehearsal.loss:.4g}"
    rest = f"; {rehearsal.to_come:.2g} nats to come" if rehearsal.total > rehearsal.steps else ""
    return f"rehearsal, {rehearsal.steps} of {rehearsal.total:,} steps: {ended}{rest}"


def _rehearsal_document(rehearsal: Rehearsal) -> dict[str, Any]:
    return {
        "steps": rehearsal.steps,
        "total": rehearsal.total,
        "loss": None if rehearsal.loss == inf else rehearsal.loss,
        "to_come": rehearsal.to_come,
        "stays_at_guessing": rehearsal.stays_at_guessing,
    }


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("layer", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table
