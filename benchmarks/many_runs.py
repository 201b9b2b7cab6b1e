"""How long do commands about all runs take where there are thousands?

    python benchmarks/many_runs.py [--runs 3000] [--rounds 3]

Makes run folders with made-up scores, each variant with three seeds, and runs commands there in
turn. Prints medians of the seconds of processor time, and of those on the clock.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import sentence

from lenetctl import specs
from lenetctl.runs.records import DataRecord, ResultRecord, RunRecord, StatusRecord
from lenetctl.runs.store import ROOT
from lenetctl.specs.schema import Spec

SEEDS, EPOCHS = 3, 10
COMMANDS = (
    "runs ls",
    "runs ls --where model.dropout>0.4",
    "runs export runs.csv",
    "runs export runs.parquet",
    "compare",
)


def make_run(root: Path, variant: int, seed: int) -> None:
    """Write the folder of a run, as one that finished has it but for weights and pictures."""
    name, dropout = f"variant{variant % 50}", variant / 2000
    values = {"name": name, "model": {"dropout": dropout}, "training": {"seed": seed}}
    spec = Spec.model_validate(values)
    identity, score = specs.sha256(spec), 0.5 + variant % 97 / 300 + seed / 1000
    path = root / f"{name}-s{seed}-{identity[:8]}-1"
    path.mkdir(parents=True)
    metrics = {"train/loss": 1 - score, "train/accuracy": score, "test/accuracy": score}
    record = RunRecord(
        name=f"{name}-s{seed}",
        spec_sha256=identity,
        spec=spec.model_dump(mode="json", exclude_none=True),
        created=variant * SEEDS + seed,
        data=DataRecord(name="fashion_mnist", digest="0" * 64),
    )
    result = ResultRecord(final=metrics, best={"epoch": EPOCHS, **metrics})
    (path / "run.json").write_text(record.to_json())
    (path / "status.json").write_text(StatusRecord(state="FINISHED").to_json())
    (path / "result.json").write_text(result.to_json())
    (path / "spec.yaml").write_text(specs.to_yaml(spec))
    lines = [json.dumps({"epoch": epoch, **metrics}) + "\n" for epoch in range(1, EPOCHS + 1)]
    (path / "metrics.jsonl").write_text("".join(lines))


def timed(folder: Path, command: str) -> tuple[float, float]:
    """Return the seconds of processor time and on the clock that a command takes in `folder`."""
    words = [sys.executable, "-m", "lenetctl", *shlex.split(command)]
    started = time.perf_counter()
    process = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command}: {status}")
    return used.ru_utime + used.ru_stime, time.perf_counter() - started


def main() -> None:
    """Measure in turn and print medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for number in range(chosen.runs):
            make_run(folder / ROOT, *divmod(number, SEEDS))
        taken: dict[str, list[tuple[float, float]]] = {command: [] for command in COMMANDS}
        for _ in range(chosen.rounds):
            for command, times in taken.items():
                times.append(timed(folder, command))
    print(f"{chosen.runs:,} runs; {sentence()}")
    print("| command | processor, s | clock, s |\n| --- | ---: | ---: |")
    for command, times in taken.items():
        processor, clock = map(statistics.median, zip(*times, strict=True))
        print(f"| `lenetctl {command}` | {processor:.2f} | {clock:.2f} |")


if __name__ == "__main__":
    main()
