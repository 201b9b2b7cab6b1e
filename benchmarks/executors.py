"""Does `sweep --jobs 2` get more done than one trial after another?

    python benchmarks/executors.py [SPEC] [--runs 6] [--epochs 3] [--rounds 3]

Runs the same sweep over seeds with either executor in turn, each time in an empty folder: whole
commands, with start-up, evaluation and tracking. Serial has all threads, a job its share of them.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from machine import sentence

ROOT = Path(__file__).parents[1]
TIMINGS = {"time", "examples_per_second", "epoch_seconds"}


def sweep(spec: Path, settings: list[str], threads: int, *how: str) -> tuple[float, list[object]]:
    """Return the seconds that a sweep took and the metrics of every epoch of its runs."""
    command = [sys.executable, "-m", "lenetctl", "sweep", str(spec), *settings, *how, "-q"]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - started
        journals = sorted(Path(folder).glob("mlruns/lenetctl/*/metrics.jsonl"))
        epochs = [json.loads(line) for file in journals for line in file.read_text().splitlines()]
    return seconds, [{k: v for k, v in line.items() if k not in TIMINGS} for line in epochs]


def main() -> None:
    """Measure, check that the metrics are the same, print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("spec", nargs="?", type=Path, default=ROOT / "experiments/baseline.yaml")
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    seeds = ",".join(map(str, range(chosen.runs)))
    settings = ["--seeds", seeds, "-s", f"training.epochs={chosen.epochs}"]
    spec, threads = chosen.spec.resolve(), torch.get_num_threads()
    jobs = ("--executor", "processes", "--jobs", str(chosen.jobs))

    seconds: dict[str, list[float]] = {"serial": [], "processes": []}
    for _ in range(chosen.rounds):
        seconds["serial"].append(sweep(spec, settings, threads, "--executor", "serial")[0])
        took, metrics = sweep(spec, settings, threads, *jobs)
        seconds["processes"].append(took)
    share = max(1, threads // chosen.jobs)
    same = metrics == sweep(spec, settings, share, "--executor", "serial")[1]

    print(sentence())
    print(f"{chosen.runs} runs of {spec.stem}, {chosen.epochs} epochs; medians of {chosen.rounds}")
    serial = statistics.median(seconds["serial"])
    for name, taken in seconds.items():
        median = statistics.median(taken)
        rate = 60 * chosen.runs / median
        print(f"{name:<10} {median:7.1f} s {rate:6.1f} runs/min {serial / median:5.2f}×")
    threads_said = f"{share} thread{'s' * (share > 1)}"
    print(f"metrics of either at {threads_said}: {'the same bits' if same else 'DIFFERENT'}")
    if not same:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
