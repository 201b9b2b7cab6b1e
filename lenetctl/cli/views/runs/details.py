"""All about one run."""

from collections.abc import Mapping
from typing import Any

from lenetctl.cli.views.runs.listing import aligned, cell_text
from lenetctl.runs.folder import Run
from lenetctl.runs.listing.rows import RunRow, plain
from lenetctl.specs.identity import Value


def details_document(run: Run) -> dict[str, Any]:
    """Return what `--json` prints."""
    record, status, published, row = run.record, run.status, run.published, RunRow.of(run)
    return {
        **{key: value for key, value in row.about.items() if not key.startswith("tags.")},
        "message": status.message,
        "folder": str(run.path),
        "run_id": published.run_id,
        "tracking_uri": published.tracking_uri,
        "spec_sha256": record.spec_sha256,
        "command": record.command,
        "continues": record.continues,
        "tags": record.tags,
        "environment": row.environment,
        "metrics": _plain(row.metrics),
        "spec": row.spec,
        "epochs": [_plain(line) for line in run.epochs()],
    }


def details(run: Run, *, with_spec: bool) -> str:
    """Return a line for each thing that is known, and the spec below them."""
    found = details_document(run)
    parts = [found.pop(part) for part in ("tags", "environment", "metrics")]
    found.pop("epochs"), found.pop("spec")
    lines = [
        [name, cell_text(value)]
        for part in (found, *parts)
        for name, value in part.items()
        if value not in (None, "")
    ]
    spec = (run.path / "spec.yaml").read_text(encoding="utf-8") if with_spec else ""
    return f"{aligned(lines)}\n\n{spec}".rstrip()


def _plain(metrics: Mapping[str, float]) -> dict[str, Value | None]:
    return {name: plain(value) for name, value in metrics.items()}
