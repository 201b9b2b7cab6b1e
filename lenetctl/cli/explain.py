"""What `train` says of a run that has not learned."""

from __future__ import annotations

from pathlib import Path

from lenetctl.errors import LenetctlError
from lenetctl.runs.folder import Run


def explain(run: Run, data_dir: Path | None, device: str) -> str:
    """Return in one line why `run` ended as a plateau or diverged."""
    from lenetctl.analysis.diagnosis.run import diagnose_run
    from lenetctl.training.device import select_device

    try:
        return diagnose_run(run, data_dir, select_device(device), seeds=1).reason
    except LenetctlError as error:  # the run's own end is told first of all
        return f"no diagnosis: {error}"
