"""How long until the first step of `lenetctl train`, and what do tracking and pictures cost?

    python benchmarks/startup.py [SPEC] [--epochs 10] [--rounds 3]

In turn: a process that imports torch and ends, the command in an empty folder, for which MLflow's
database is made, the command in that folder once more, and the same run by `runs.execute` alone,
with neither tracking nor pictures. The first step begins when the journal's first epoch ended, less
the seconds that it took. Memory is the most that the process itself had at a time, without that of
the writer to MLflow.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import sentence

from lenetctl.runs.store import RunStore

ROOT = Path(__file__).parents[1]
UNTRACKED = """
import sys
from pathlib import Path
from lenetctl import specs
from lenetctl.runs.execute import execute
from lenetctl.runs.options import RunOptions

execute(specs.load_spec(Path(sys.argv[1]), sys.argv[2:]), RunOptions())
"""


def timed(folder: Path, *command: str) -> tuple[float, float, float]:
    """Return the seconds of a command in `folder`, those until its first step, and its peak MB."""
    begun, started = time.time(), time.perf_counter()
    process = subprocess.Popen([sys.executable, *command], cwd=folder, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command}: {status}")
    seconds = time.perf_counter() - started
    firsts = [run.epochs()[0] for run in RunStore(folder / "mlruns/lenetctl").all()[-1:]]
    first = sum(line["time"] / 1000 - line["epoch_seconds"] - begun for line in firsts)
    return seconds, first, used.ru_maxrss / 1024


def main() -> None:
    """Measure in turn and print medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("spec", nargs="?", type=Path, default=ROOT / "experiments/baseline.yaml")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    spec, setting = str(chosen.spec.resolve()), f"training.epochs={chosen.epochs}"
    train = ("-m", "lenetctl", "train", spec, "-s", setting, "-q", "--seed")
    commands = {
        "import torch": ("-c", "import torch"),
        "the first command": (*train, "0"),
        "a later one": (*train, "1"),
        "untracked": ("-c", UNTRACKED, spec, setting, "training.seed=2"),
    }
    taken: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
    for _ in range(chosen.rounds):
        with tempfile.TemporaryDirectory() as folder:
            for name, command in commands.items():
                taken[name].append(timed(Path(folder), *command))
    whole = {name: statistics.median(row[0] for row in rows) for name, rows in taken.items()}
    peak = {name: statistics.median(row[2] for row in rows) for name, rows in taken.items()}
    step = statistics.median(row[1] for row in taken["a later one"])
    print(sentence())
    print(f"{chosen.spec.stem}, {chosen.epochs} epochs; medians of {chosen.rounds}")
    for name, seconds in whole.items():
        print(f"{name:<18} {seconds:6.2f} s {peak[name]:6.0f} MB")
    print(f"its first step     {step:6.2f} s, import torch {step - whole['import torch']:+.2f} s")
    for name in ("the first command", "a later one"):
        more = whole[name] - whole["untracked"]
        print(f"tracking and pictures of {name}: {more:.2f} s, {more / whole[name]:.1%}")


if __name__ == "__main__":
    main()
