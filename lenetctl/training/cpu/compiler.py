"""The C++ of `native/`, compiled once for this machine and kept in the user's cache folder."""

import ctypes
import functools
import hashlib
import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import platformdirs
import torch  # noqa: F401  loaded first, so that the library shares its OpenMP threads

from lenetctl.errors import UsageError

FOLDER = Path(__file__).parent / "native"
SOURCES = [str(path) for path in sorted(FOLDER.glob("*.cpp"))]
FLAGS = ("-std=c++17", "-O3", "-march=native", "-ffp-contract=fast", "-fopenmp", "-fPIC", "-shared")


@functools.cache
def compiled_library() -> ctypes.CDLL:
    """Return the library; compile it first if it is not in the cache.

    Raises:
        UsageError: there is no C++ compiler, it fails, or there is no place for what it makes.

    """
    # the compiler's macros: they hold its version and what -march=native means on this machine
    machine = _compile(*FLAGS, "-dM", "-E", "-x", "c++", os.devnull)
    text = b"".join(path.read_bytes() for path in sorted(FOLDER.glob("*.[ch]*")))
    key = hashlib.sha256(text + machine + " ".join(FLAGS).encode()).hexdigest()
    try:
        return _load(platformdirs.user_cache_path("lenetctl") / "native" / f"{key[:16]}.so")
    except (OSError, RuntimeError) as error:  # RuntimeError: the user has no home folder
        message = f"--engine compiled: the cache folder cannot be used: {error}"
        raise UsageError(message) from error


def _load(library: Path) -> ctypes.CDLL:
    """Return the library in the cache, made first if it is not there."""
    if not library.exists():
        library.parent.mkdir(parents=True, exist_ok=True)
        # replaced as a whole, because several processes may compile at once
        with TemporaryDirectory(dir=library.parent) as scratch:
            new = Path(scratch) / "new.so"
            _compile(*FLAGS, *SOURCES, "-o", str(new))
            new.replace(library)
    return ctypes.CDLL(str(library))


def _compile(*arguments: str) -> bytes:
    compiler = os.environ.get("CXX", "g++")
    try:
        done = subprocess.run([compiler, *arguments], capture_output=True, check=True, timeout=120)
    except FileNotFoundError:
        raise UsageError(
            f"--engine compiled: no C++ compiler: install {compiler}, or name one in CXX"
        ) from None
    except (OSError, subprocess.SubprocessError) as error:
        output = (getattr(error, "stderr", b"") or b"").decode(errors="replace").strip()
        why = output.splitlines()[0] if output else str(error)
        if "No space left" in output:
            temporary = os.environ.get("TMPDIR", "/tmp")  # noqa: S108  the compiler's own default
            why = f"no space left in TMPDIR ({temporary}) or the cache folder: make room"
            raise UsageError(f"--engine compiled: {why}") from None
        raise UsageError(f"--engine compiled: {compiler} cannot compile {FOLDER}: {why}") from None
    return done.stdout
