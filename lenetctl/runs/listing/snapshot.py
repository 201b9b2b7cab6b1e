"""A run as it was when it was first read."""

from functools import cached_property

from lenetctl.runs.folder import Run
from lenetctl.runs.records import RunRecord, StatusRecord


class Snapshot(Run):
    """Reads record and status once: commands about thousands of runs ask for them many times."""

    @cached_property
    def record(self) -> RunRecord:
        """As of a run."""
        return super().record

    @cached_property
    def status(self) -> StatusRecord:
        """As of a run."""
        return super().status
