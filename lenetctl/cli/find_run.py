"""Which run the RUN of a command is, and whether its RUN|SPEC is one."""

from __future__ import annotations

from pathlib import Path
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


def find_run_or_spec(wanted: str) -> Run | Path:
    """Return the run that `wanted` names, or the spec: a YAML file, or else a shipped one's name.

    Raises:
        NotFoundError: it is none of these.

    """
    from lenetctl.cli.console import echo
    from lenetctl.errors import NotFoundError
    from lenetctl.specs.reference.shipped import shipped_specs

    if Path(wanted).suffix in (".yaml", ".yml"):
        return Path(wanted)
    try:
        return find_run(wanted)
    except NotFoundError:
        if wanted not in shipped_specs():
            raise
        echo(f"{wanted}: the shipped spec, before any training", err=True)
        return Path(wanted)
