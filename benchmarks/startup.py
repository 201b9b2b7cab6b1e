"""How long until the first step of `lenetctl train`, and what do tracking and pictures cost?

    python benchmarks/startup.py [SPEC] [--epochs 10] [--rounds 3]

In turn: a process that imports torch and ends, the whole command, and the same run by
`runs.execute` alone, with neither tracking nor pictures; each in an empty folder. The first step
begins when the journal's first epoch ended, less the seconds that it took.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import sentence

from lenetctl.runs.collection import every

ROOT = Path(__file__).parents[1]
UNTRACKED = """
import sys
from pathlib import Path
from lenetctl import spec
from lenetctl.runs.execute import execute
from lenetctl.runs.options import Options

execute(spec.load(Path(sys.argv[1]), [sys.argv[2]]), Options())
"""


def timed(*command: str) -> tuple[float, float | None]:
    """Return the seconds that a command takes, and those until its run's first step."""
    with tempfile.TemporaryDirectory() as folder:
        begun, started = time.time(), time.perf_counter()
        subprocess.run(
            [sys.executable, *command], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
        seconds = time.perf_counter() - started
        lines = [run.epochs()[0] for run in every(Path(folder) / "mlruns/lenetctl")]
    first = [line["time"] / 1000 - line["epoch_seconds"] - begun for line in lines]
    return seconds, first[0] if first else None


def main() -> None:
    """Measure in turn and print medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("spec", nargs="?", type=Path, default=ROOT / "experiments/baseline.yaml")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    spec, setting = str(chosen.spec.resolve()), f"training.epochs={chosen.epochs}"
    commands = {
        "import torch": ("-c", "import torch"),
        "lenetctl train": ("-m", "lenetctl", "train", spec, "-s", setting, "-q"),
        "untracked": ("-c", UNTRACKED, spec, setting),
    }
    taken: dict[str, list[tuple[float, float | None]]] = {name: [] for name in commands}
    for _ in range(chosen.rounds):
        for name, command in commands.items():
            taken[name].append(timed(*command))
    torch, whole, bare = (statistics.median(whole for whole, _ in taken[name]) for name in commands)
    first = statistics.median(first or 0.0 for _, first in taken["lenetctl train"])
    print(sentence())
    print(f"{chosen.spec.stem}, {chosen.epochs} epochs; medians of {chosen.rounds}")
    print(f"import torch           {torch:6.2f} s")
    print(f"first step of train    {first:6.2f} s, {first - torch:+.2f} s")
    print(f"whole command          {whole:6.2f} s")
    print(f"the same, untracked    {bare:6.2f} s")
    print(f"tracking and pictures  {whole - bare:6.2f} s, {(whole - bare) / whole:.1%}")


if __name__ == "__main__":
    main()
