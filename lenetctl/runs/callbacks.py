"""What is told of a run while it is trained."""

from __future__ import annotations

from lenetctl.runs.folder import Run
from lenetctl.runs.records import ResultRecord
from lenetctl.specs.schema import Spec
from lenetctl.training.metrics import EpochResult, Progress


class RunCallback:
    """Is told how a run goes; made to be overridden. What it raises ends the run."""

    def on_start(self, run: Run, spec: Spec, epochs_done: int) -> None:
        """Hear that a run starts, or goes on after `epochs_done` epochs."""

    def on_progress(self, progress: Progress) -> None:
        """Hear a few times a second how the epoch goes."""

    def on_epoch_end(self, run: Run, result: EpochResult) -> None:
        """Hear that an epoch is done and on disk."""

    def on_result(self, run: Run, result: ResultRecord) -> None:
        """Hear that the result is on disk; the run says FINISHED after this."""

    def on_warning(self, message: str) -> None:
        """Hear what the user should know."""
