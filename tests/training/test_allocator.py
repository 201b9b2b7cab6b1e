import platform
import subprocess
import sys

import pytest

from lenetctl.training import allocator

PROGRAM = """
from pathlib import Path
from lenetctl.training import allocator
if {kept}:
    allocator.keep_freed_memory()
resident = lambda: int(Path("/proc/self/statm").read_text().split()[1])
block = bytearray(b"x") * (16 << 20)
before = resident()
del block
print(before - resident())
"""
PAGES = (16 << 20) // 4096


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
@pytest.mark.parametrize("kept", [True, False])
def test_what_is_freed_stays_with_the_process(kept):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(kept=kept)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (int(done.stdout) < PAGES / 2) == kept


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert not allocator.keep_freed_memory()
