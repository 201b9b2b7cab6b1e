"""`lenetctl runs tag`: the user's own words about a run."""

import re
from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded
from lenetctl.errors import UsageError

KEY = re.compile(r"\w[\w .-]{0,249}", re.ASCII)  # what MLflow takes, on every platform
OURS = re.compile(r"(lenetctl|mlflow|git|torch)\..*|outcome")
LONGEST = 5000  # characters of a value, MLflow's limit


@guarded
def tag(
    run: options.Run,
    tags: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE...", help="None: show them.")
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option("--remove", metavar="KEY", help="Take a tag away; repeatable."),
    ] = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Give RUN tags, take some away, or show them; `lenetctl sync` tells MLflow."""
    from lenetctl.cli.console import Console
    from lenetctl.cli.find_run import find_run
    from lenetctl.runs.store import RunStore

    changes: dict[str, str | None] = dict(map(_parsed, tags or ()))
    changes |= {_allowed(key): None for key in remove or ()}
    console, found = Console(as_json=as_json, quiet=quiet), find_run(run)
    if unknown := [key for key in remove or () if key not in found.record.own_tags]:
        there = ", ".join(found.record.own_tags) or "none"
        raise UsageError(f"--remove {unknown[0]}: no such tag (there are {there})")
    if changes:
        RunStore(found.path.parent).tag(found, changes)
    now = found.record.own_tags
    lines = "\n".join(f"{key}={value}" for key, value in now.items()) or "no tags"
    console.result({"run": found.path.name, "tags": now}, lines)
    if changes:
        console.say("next: lenetctl sync")


def _parsed(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or len(value) > LONGEST:
        raise UsageError(f"{text[:60]}: must be KEY=VALUE, of at most {LONGEST:,} characters")
    return _allowed(key), value


def _allowed(key: str) -> str:
    if not KEY.fullmatch(key):
        raise UsageError(f"{key[:60]}: a tag's key has letters, digits, spaces and _ . -")
    if OURS.fullmatch(key):
        raise UsageError(f"{key}: lenetctl and MLflow set tags of this name themselves")
    return key
