"""What a result should say of the machine and the code that it came from."""

import getpass
import platform
import subprocess
from importlib.metadata import version

from lenetctl.runs.records import EnvironmentRecord

# of tracked files, as `git describe --dirty` has it: not what runs and commands write beside them
CHANGES = ("status", "--porcelain", "--untracked-files=no")


def describe_environment() -> EnvironmentRecord:
    """Return versions, platform and the git commit of the working directory."""
    commit = _git("rev-parse", "HEAD")
    return EnvironmentRecord(
        lenetctl=version("lenetctl"),
        torch=version("torch"),
        python=platform.python_version(),
        platform=platform.platform(),
        git_commit=commit,
        git_dirty=str(bool(_git(*CHANGES))).lower() if commit else "",
    )


def user_name() -> str:
    """Return who is logged in, as MLflow has it; "" where nobody knows, as in a container."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return ""


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
