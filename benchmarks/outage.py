"""Does training wait for a tracking server that dies and returns?

    python benchmarks/outage.py [SPEC] [--epochs 20] [--rounds 3]

Trains SPEC against a real `mlflow server`, in turn with the server up all the time and with it
killed after a quarter of the epochs and started again after half of them. Each run has one thread,
so that on a machine of two cores or more the server has a core of its own: what is measured is
waiting, not the server's work. Training time is that from the end of the first epoch to the end of
the last one, checkpoints included; what is published after that is not in it.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mlflow import MlflowClient

from lenetctl.runs.folder import Run
from lenetctl.runs.store import RunStore

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))
from helpers.mlflow_server import Server  # noqa: E402  the tests' server


def train(spec: Path, epochs: int, folder: Path, server: Server, *, outage: bool) -> float:
    """Return the training time of one run in `folder`, in seconds."""
    settings = ("-s", f"training.epochs={epochs}", "--tracking-uri", server.uri, "-q")
    command = [sys.executable, "-m", "lenetctl", "train", str(spec), *settings]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    training = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    if outage:
        wait_for_epochs(folder, epochs // 4, training)
        server.kill()
        wait_for_epochs(folder, epochs // 2, training)
        server.start()
    if training.wait():
        raise SystemExit(f"training ended with {training.returncode}")
    (run,) = runs_in(folder)
    check(run, server.uri)
    times = [line["time"] for line in run.epochs()]
    return (times[-1] - times[0]) / 1000


def wait_for_epochs(folder: Path, count: int, training: "subprocess.Popen[bytes]") -> None:
    """Return as soon as the run in `folder` has `count` epochs."""
    while not any(len(run.epochs()) >= count for run in runs_in(folder)):
        if training.poll() is not None:
            raise SystemExit("training ended before the outage: give it more epochs")
        time.sleep(0.05)


def runs_in(folder: Path) -> list[Run]:
    """Return the runs of a project."""
    return RunStore(folder / "mlruns/lenetctl").all()


def check(run: Run, uri: str) -> None:
    """Raise where the server lacks a part of the history."""
    history = MlflowClient(uri).get_metric_history(run.published.run_id, "train/loss")
    published = sorted((point.step, point.value) for point in history)
    if published != [(line["epoch"], line["train/loss"]) for line in run.epochs()]:
        raise SystemExit("the server's history is not the run's")


def main() -> None:
    """Measure in turn and print each time and the ratio of the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("spec", nargs="?", type=Path, default=ROOT / "experiments/baseline.yaml")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} cores")
    seconds: dict[bool, list[float]] = {False: [], True: []}
    with tempfile.TemporaryDirectory() as scratch:
        server = Server(Path(scratch) / "server")
        try:
            for number in range(2 * options.rounds):
                outage = number % 2 == 1
                folder = Path(scratch) / str(number)
                folder.mkdir()
                spec = options.spec.resolve()
                taken = train(spec, options.epochs, folder, server, outage=outage)
                seconds[outage].append(taken)
                print(f"{'with' if outage else 'without'} outage: {taken:.2f} s", flush=True)
        finally:
            server.kill()
    with_, without = statistics.median(seconds[True]), statistics.median(seconds[False])
    print(f"medians {with_:.2f} s and {without:.2f} s, ratio {with_ / without:.3f}")


if __name__ == "__main__":
    main()
