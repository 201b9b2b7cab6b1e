import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SANITIZED = "-fsanitize=address,undefined -fno-sanitize-recover=all -g -fno-omit-frame-pointer"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("g++"), reason="needs g++ on Linux")
def test_the_layers_stay_in_their_memory_and_in_what_is_defined(tmp_path):
    """The tests of this folder once more, of C++ that is watched by gcc's sanitizers."""
    compiler = tmp_path / "c++"
    compiler.write_text(f'#!/bin/sh\nexec g++ "$@" {SANITIZED} -O1\n')
    compiler.chmod(0o755)
    runtime = subprocess.check_output(["g++", "-print-file-name=libasan.so"], text=True).strip()
    environment = os.environ | {
        "CXX": str(compiler),
        "XDG_CACHE_HOME": str(tmp_path),
        "LD_PRELOAD": runtime,
        "ASAN_OPTIONS": "detect_leaks=0",  # Python's own
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    tests = [HERE / "test_whole_step.py", HERE / "test_forward.py"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    (library,) = (tmp_path / "lenetctl" / "native").glob("*.so")
    assert b"__asan_report_load" in library.read_bytes()
    assert b"__ubsan_handle" in library.read_bytes()
