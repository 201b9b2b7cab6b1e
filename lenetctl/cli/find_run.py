"""Which run the RUN of a command is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lenetctl.runs.folder import Run


def find_run(wanted: str) -> Run:
    """Return the run that `wanted` names, as `RunStore.find`; of several, say which on stderr."""
    from lenetctl.cli.console import echo
    from lenetctl.runs.store import RunStore

    *older, newest = RunStore().find_all(wanted)
    if older:
        told = f"{wanted}: of {len(older) + 1} runs of this name the newest, {newest.path.name}"
        echo(told, err=True)
    return newest
