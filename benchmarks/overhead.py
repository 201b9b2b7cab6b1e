"""What does a run of a sweep cost beside its training?

    python benchmarks/overhead.py [SPEC] [--runs 200] [--epochs 5]

Trains the runs bare (data, net, training loop; no folder, no tracking), then the same ones as one
`lenetctl sweep`. The overhead is what a run of the sweep takes longer, start-up aside: from the end
of the sweep's tenth run to the end of the command. Then each part of it by itself.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from machine import sentence

from lenetctl import specs
from lenetctl.artifacts import draw
from lenetctl.data.dataset import load_dataset
from lenetctl.data.device import DeviceDataset
from lenetctl.runs import environment
from lenetctl.runs.execute import execute
from lenetctl.runs.options import RunOptions
from lenetctl.runs.store import ROOT as RUNS
from lenetctl.runs.store import RunStore
from lenetctl.specs.schema import Spec
from lenetctl.tracking.publish import publish
from lenetctl.tracking.store import open_client
from lenetctl.training import device
from lenetctl.training.engines import ENGINES, choose_engine
from lenetctl.training.loop import train
from lenetctl.training.state import initial_state

ROOT = Path(__file__).parents[1]
STEADY = 10  # runs before the clock starts: imports, the database's schema, caches


def bare(spec: Spec) -> None:
    """Train a spec and nothing else."""
    where = torch.device("cpu")
    splits = DeviceDataset.of(load_dataset(spec.data), spec.data, where)
    with device.numerics(spec.training):
        state = initial_state(spec, where)
        engine = choose_engine("auto", spec, len(splits.train), where).engine
        step = ENGINES[engine].build_step(state.net, state.optimizer, spec)
        for _ in train(state, step, splits, spec):
            pass


def timed(call: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


@contextmanager
def in_folder() -> Iterator[Path]:
    """Work in an empty folder."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)


def swept(spec: Path, runs: int, epochs: int) -> float:
    """Return the seconds a run of a sweep takes in its steady state."""
    seeds = ",".join(map(str, range(runs)))
    settings = ["--seeds", seeds, "-s", f"training.epochs={epochs}", "-q"]
    with in_folder() as folder:
        command = [sys.executable, "-m", "lenetctl", "sweep", str(spec), *settings]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        ended = time.time()
        ends = sorted(run.status.ended or 0 for run in RunStore(folder / RUNS).all())
    seconds: float = (ended - ends[STEADY - 1] / 1000) / (runs - STEADY)
    return seconds


def parts(spec: Spec, times: int = 20) -> dict[str, float]:
    """Return the median seconds of each part of a run's overhead, alone in its process."""
    measured: dict[str, list[float]] = {}
    with in_folder() as folder:
        options = RunOptions(folder / "runs", device="cpu")
        made = open_client("sqlite:///mlflow.db")
        for seed in range(times + 1):
            training = spec.training.model_copy(update={"seed": seed})
            one = spec.model_copy(update={"training": training})
            alone = timed(partial(bare, one))
            whole = timed(partial(execute, one, options))
            run = options.store.all()[-1]
            about = timed(environment.describe_environment)
            drawing = timed(partial(draw, run))
            sending = timed(partial(publish, made, "sqlite:///mlflow.db", run))
            row = {
                "folder: record, checkpoints, journal, result": whole - alone - about,
                "versions and git commit": about,
                "pictures": drawing,
                "MLflow: params, metrics, artifacts, model": sending,
            }
            for name, seconds in row.items():
                measured.setdefault(name, []).append(seconds)
            shutil.rmtree(run.checkpoints)
    return {name: statistics.median(values[1:]) for name, values in measured.items()}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("spec", nargs="?", type=Path, default=ROOT / "experiments/quickstart.yaml")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=5)
    chosen = parser.parse_args()
    path = chosen.spec.resolve()
    spec = specs.load_spec(path, [f"training.epochs={chosen.epochs}"])
    bare(spec)
    alone = statistics.median(timed(partial(bare, spec)) for _ in range(STEADY))
    run = swept(path, chosen.runs, chosen.epochs)
    print(sentence())
    print(f"{chosen.runs} runs of {path.stem}, {chosen.epochs} epochs each, one after another")
    print(f"bare training     {alone:6.3f} s")
    print(f"a run of a sweep  {run:6.3f} s")
    print(f"overhead          {run - alone:6.3f} s")
    print("each part by itself, the last two in another process than the training:")
    for name, seconds in parts(spec).items():
        print(f"{seconds:8.3f} s  {name}")


if __name__ == "__main__":
    main()
