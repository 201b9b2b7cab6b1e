"""How much memory does each process of a command take at most?

    python benchmarks/memory.py train baseline -s training.epochs=2
    python benchmarks/memory.py sweep baseline -s training.epochs=2 --seeds 0,1 --jobs 2

Runs lenetctl with these arguments in an empty folder, on Linux: first the command itself, then the
processes that it started, in that order: the writer to MLflow, the workers of a sweep. Resident
memory counts pages of libraries, which the processes of a machine share; private memory is what
each has for itself, as it was seen every 50 ms. Both are in MB of 2^20 bytes.
"""

import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

PAUSE = 0.05  # seconds
OURS = "spawn_main"  # in the command line of a process that Python's multiprocessing started

Peak = tuple[int, int]  # resident, private, in KiB


def look(process: psutil.Process, before: Peak) -> Peak:
    """Return the peak of a process, given the one that was known before."""
    lines = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
    found = dict(line.split(":", 1) for line in lines)
    if "RssAnon" not in found:  # it has ended
        return before
    resident, private = (int(found[key].split()[0]) for key in ("VmHWM", "RssAnon"))
    return resident, max(private, before[1])


def peaks(command: list[str], folder: str) -> list[Peak]:
    """Run a command; return the peaks of it and of the processes that it started."""
    started = psutil.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    found: dict[int, Peak] = {}
    while started.poll() is None:
        with suppress(OSError, psutil.NoSuchProcess):
            others = started.children()
            for process in (started, *(one for one in others if OURS in str(one.cmdline()))):
                found[process.pid] = look(process, found.get(process.pid, (0, 0)))
        time.sleep(PAUSE)
    if started.returncode:
        raise SystemExit(f"{command}: {started.returncode}")
    return list(found.values())


def main() -> None:
    """Measure and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        found = peaks([sys.executable, "-m", "lenetctl", *sys.argv[1:]], folder)
    print("| process | resident, MB | private, MB |")
    print("| --- | ---: | ---: |")
    for number, (resident, private) in enumerate(found):
        name = f"started {number}" if number else "the command"
        print(f"| {name} | {resident / 1024:.0f} | {private / 1024:.0f} |")


if __name__ == "__main__":
    main()
