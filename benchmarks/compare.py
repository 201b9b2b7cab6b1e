"""Ours beside its peers, in turn, in one session: `python benchmarks/compare.py --help`.

Every contender trains the baseline (batch 256, fp32, CPU) in a process that waits while the others
have their turn. Then whole commands, from a cold process to the finished run.
"""

import argparse
import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import machine

from lenetctl import specs

HERE = Path(__file__).parent
SPEC = HERE.parent / "experiments" / "baseline.yaml"
TIMEOUT = 240  # seconds for one epoch, the first one with all imports and compiling
CONTENDERS = {
    "textbook, 2 workers": ("textbook", "2"),
    "textbook, 0 workers": ("textbook", "0"),
    "Lightning": ("with_lightning", "2"),
    "Keras on TensorFlow": ("with_keras", "tensorflow"),
    "Keras on JAX": ("with_keras", "jax"),
    "Keras on torch": ("with_keras", "torch"),
    "JAX, scanned epoch": ("with_jax", "scan"),
    "lenetctl, eager": ("ours", "eager"),
    "lenetctl, compiled": ("ours", "compiled"),
    "lenetctl, graph": ("ours", "graph"),
    "lenetctl, fleet of 4": ("ours", "4"),
    "lenetctl, fleet of 256": ("ours", "256"),
}
ONLY_ON = {  # the peers of Keras and JAX are those for a CPU
    "cpu": ("Keras", "JAX", "lenetctl, compiled", "lenetctl, fleet of 4"),
    "cuda": ("lenetctl, graph", "lenetctl, fleet of 256"),
}


class Contender:
    """A worker process; once it failed it stays out, with the reason."""

    def __init__(self, module: str, variant: str) -> None:
        self.seconds: list[float] = []
        self.models = int(variant) if module == "ours" and variant.isdecimal() else 1
        self.failure = ""
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  as long-lived as the process
        self._process = subprocess.Popen(
            [sys.executable, HERE / "worker.py", module, variant],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def on_epoch_end(self, *, count: bool) -> None:
        """Let it train an epoch; `count` says whether its time counts."""
        if self.failure:
            return
        try:
            print(file=self._process.stdin, flush=True)
            ready = select.select([self._process.stdout], [], [], TIMEOUT)[0]
            answer = float(self._process.stdout.readline() if ready else "nan")
        except (OSError, ValueError):
            self._process.wait(TIMEOUT)
            self._log.seek(0)
            said = self._log.read().strip().splitlines()
            self._out(said[-1] if said else f"exit code {self._process.returncode}")
        else:
            if not ready:
                self._out(f"no epoch within {TIMEOUT} s")
            self.seconds += [answer] if count else []

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def _out(self, why: str) -> None:
        self.failure = why
        self.close()


def at_hand(device: str) -> list[str]:
    """Return the contenders that run on a device."""
    elsewhere = tuple(name for where, names in ONLY_ON.items() if where != device for name in names)
    return [name for name in CONTENDERS if not name.startswith(elsewhere)]


def steady(rounds: int, names: list[str], images: int) -> dict[str, dict[str, Any]]:
    """Return each contender's examples/s: one epoch of each in turn, the first one not counted."""
    rows: dict[str, dict[str, Any]] = {}
    contenders = {name: Contender(*CONTENDERS[name]) for name in names}
    try:
        for number in range(rounds + 1):
            for name, contender in contenders.items():
                contender.on_epoch_end(count=number > 0)
                print(f"round {number}: {name}: {contender.failure or 'done'}", file=sys.stderr)
        for name, contender in contenders.items():
            speeds = sorted(images * contender.models / one for one in contender.seconds)
            rows[name] = {
                "failure": contender.failure,
                "speeds": speeds,
                "median": None if contender.failure else statistics.median(speeds),
            }
    finally:
        for contender in contenders.values():
            contender.close()
    return rows


def whole(rounds: int, epochs: int) -> dict[str, list[float]]:
    """Return the seconds of whole commands, run in turn; ours tracks its run in MLflow."""
    settings = ["-s", f"training.epochs={epochs}", "--device", os.environ["BENCHMARK_DEVICE"]]
    commands = {
        "textbook's script": [sys.executable, HERE / "contenders/textbook.py", str(epochs)],
        "lenetctl train": [sys.executable, "-m", "lenetctl", "train", str(SPEC), "-q", *settings],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            with tempfile.TemporaryDirectory() as folder:
                started = time.perf_counter()
                subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
                seconds[name].append(time.perf_counter() - started)
            print(f"whole command: {name}: {seconds[name][-1]:.1f} s", file=sys.stderr)
    return seconds


def table(result: dict[str, Any]) -> str:
    """Return the result as Markdown."""
    rows, limit = result["steady"], result["limit"]
    base = next((row["median"] for name, row in rows.items() if name.startswith("textbook")), None)
    lines = [
        "| contender | examples/s | least, greatest | times the textbook | of the limit |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, row in rows.items():
        if row["failure"]:
            lines.append(f"| {name} | failed: {row['failure']} | | | |")
            continue
        ratio = f"{row['median'] / base:.2f}" if base else ""
        span = f"{row['speeds'][0]:,.0f}, {row['speeds'][-1]:,.0f}"
        share = f"{row['median'] / limit:.0%}"
        lines.append(f"| {name} | {row['median']:,.0f} | {span} | {ratio} | {share} |")
    lines += ["", "| whole command | seconds | least, greatest |", "| --- | ---: | ---: |"]
    for name, seconds in result["whole"].items():
        if seconds:
            span = f"{min(seconds):.1f}, {max(seconds):.1f}"
            lines.append(f"| {name} | {statistics.median(seconds):.1f} | {span} |")
    giga, mega = result["peak"] / 1e9, result["work"] / 1e6
    lines += [
        "",
        f"{machine.sentence(result['machine'])}.",
        f"Matrix product: {giga:.0f} GFLOP/s. One example: {mega:.2f} MFLOP.",
        f"So the limit is {limit:,.0f} examples/s.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write `results/NAME.json` and `results/NAME.md`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", default="cpu", help="of the files in benchmarks/results")
    parser.add_argument("--rounds", type=int, default=5, help="epochs of each that count")
    parser.add_argument("--device", default="cpu", choices=ONLY_ON)
    parser.add_argument("--only", action="append", choices=CONTENDERS, help="repeatable")
    parser.add_argument("--images", type=int, default=60_000, help="of an epoch; less for a try")
    parser.add_argument("--whole-rounds", type=int, default=3, help="whole commands of each")
    parser.add_argument("--epochs", type=int, default=10, help="of a whole command")
    options = parser.parse_args()
    if "LENETCTL_DATA" not in os.environ:
        parser.error("set LENETCTL_DATA to the folder with FashionMNIST/raw")
    os.environ["BENCHMARK_IMAGES"] = str(options.images)  # for the workers
    os.environ["BENCHMARK_DEVICE"] = options.device
    about, before = machine.describe(options.device), machine.peak(options.device)
    rows = steady(options.rounds, options.only or at_hand(options.device), options.images)
    seconds = whole(options.whole_rounds, options.epochs)
    peak, work = max(before, machine.peak(options.device)), machine.work(specs.load_spec(SPEC))
    result = {
        "machine": about,
        "peak": peak,
        "work": work,
        "limit": peak / work,
        "steady": rows,
        "whole": seconds,
    }
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    (folder / f"{options.name}.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / f"{options.name}.md").write_text(table(result))
    print(table(result))


if __name__ == "__main__":
    main()
