"""What does a tiny trial cost on a Ray cluster, and whose processor time is it?

    python benchmarks/cluster.py [--runs 2000] [--epochs 1] [--tracking sqlite|server|postgresql]

Starts a Ray cluster of processes on this machine and one `lenetctl sweep --executor ray` over seeds
there, on 200 digits. Prints the processor time per trial of each kind of process, start-up
aside: from the end of the tenth trial on, and in the first and the last quarter of that, to see
what grows with the number of runs. On a cluster each kind has machines of its own; of those that
there is one of (driver, writer, servers), the largest bounds how many trials a second go.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
from machine import sentence
from ray.cluster_utils import Cluster

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))
from helpers.mlflow_server import Server  # noqa: E402  the tests' servers
from helpers.postgres import PREFIX as DATABASE  # noqa: E402
from helpers.postgres import started  # noqa: E402

SPEC = """\
data: {dataset: digits, limit: 200, batch_size: 50}
model: {activation: relu}
training: {optimizer: {kind: sgd, lr: 0.1}}
"""
STEADY = 10  # trials before the clock starts: imports, the database's schema
QUARTERS = 4
Spent = dict[tuple[int, float], tuple[str, float]]  # kind and seconds, by process
KINDS = {  # what a process is, by a part of its command line
    "mlflow server": "MLflow server",
    "mlflow.server": "MLflow server",
    "postgres": "database",
    "spawn_main": "writer",
    "lenetctl sweep": "driver",
    "ray::_EventRelay": "Ray: the relay of events",
    "ray::": "Ray: workers, which train",
    "gcs_server": "Ray: control store",
    "raylet": "Ray: node managers",
}


@contextmanager
def tracking(kind: str, folder: Path) -> Iterator[str]:
    """Yield the URI of a store of this kind."""
    with ExitStack() as stack:
        if kind == "sqlite":
            yield "sqlite:///mlflow.db"
            return
        where = [stack.enter_context(started("mlflow"))[0]] if kind == "postgresql" else []
        server = Server(folder / "server", *where)
        stack.callback(server.kill)
        yield server.uri


def spent() -> Spent:
    """Return kind and processor time, in seconds, of every process that this one has started."""
    ours = psutil.Process().children(recursive=True)
    for process in psutil.process_iter(["cmdline"]):  # the database's has left us
        if DATABASE in " ".join(process.info["cmdline"] or ()):
            ours += [process, *process.children(recursive=True)]
    found = {}
    for process in ours:
        with suppress(psutil.NoSuchProcess), process.oneshot():
            command, times = " ".join(process.cmdline()), process.cpu_times()
            kind = next((kind for part, kind in KINDS.items() if part in command), None)
            if kind:
                found[process.pid, process.create_time()] = kind, times.user + times.system
    return found


def ended(folder: Path) -> int:
    """Return how many trials have their result."""
    return len(list(folder.glob("mlruns/lenetctl/*/result.json")))


def each(before: tuple[int, Spent], after: tuple[int, Spent]) -> dict[str, float]:
    """Return the ms of processor time that each kind of process spent on a trial in between."""
    seconds: dict[str, float] = dict.fromkeys(KINDS.values(), 0.0)
    for key, (kind, now) in after[1].items():
        seconds[kind] += now - before[1].get(key, (kind, 0.0))[1]
    return {kind: 1000 * spent / (after[0] - before[0]) for kind, spent in seconds.items() if spent}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--tracking", choices=["sqlite", "server", "postgresql"], default="sqlite")
    chosen = parser.parse_args()
    cluster = Cluster()
    for cpus in (0, 1, 1):  # the head does no work
        cluster.add_node(num_cpus=cpus, include_dashboard=False)
    with ExitStack() as stack:
        stack.callback(cluster.shutdown)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        uri = stack.enter_context(tracking(chosen.tracking, folder))
        (folder / "tiny.yaml").write_text(SPEC)
        seeds = ",".join(map(str, range(chosen.runs)))
        what = ("tiny.yaml", "--seeds", seeds, "-s", f"training.epochs={chosen.epochs}")
        how = ("-q", "--executor", "ray", "--tracking-uri", uri)
        sweep = subprocess.Popen(
            [sys.executable, "-m", "lenetctl", "sweep", *what, *how],
            cwd=folder,
            env=os.environ | {"RAY_ADDRESS": cluster.address},
            stdout=subprocess.DEVNULL,
        )
        while ended(folder) < STEADY and sweep.poll() is None:
            time.sleep(0.1)
        started = time.perf_counter()
        now = spent()
        looks = [(ended(folder), now)]  # then one at the end of each quarter
        trained = 0.0  # seconds until the last trial had ended; the rest is publishing
        while sweep.poll() is None:
            now = now | spent()  # the last that was seen of a process that has ended
            done = ended(folder)
            quarter = (chosen.runs - looks[0][0]) / QUARTERS
            if len(looks) < QUARTERS and done >= looks[0][0] + len(looks) * quarter:
                looks.append((done, now))
            if not trained and done == chosen.runs:
                trained = time.perf_counter() - started
            time.sleep(0.5)
        looks.append((chosen.runs, now))
        whole = time.perf_counter() - started
        if sweep.returncode:
            raise SystemExit(f"the sweep ended with {sweep.returncode}")
    trials, trained = chosen.runs - looks[0][0], trained or whole
    parts = [each(*ends) for ends in ((looks[0], looks[-1]), looks[:2], looks[-2:])]
    print(sentence())
    print(f"{chosen.runs} trials of {chosen.epochs} epochs on two CPUs, {chosen.tracking}")
    print(f"trained at {trials / trained:.2f} trials/s, with MLflow {trials / whole:.2f} trials/s")
    print("| ms of processor time a trial | all | first quarter | last quarter |")
    print("| --- | ---: | ---: | ---: |")
    for kind in sorted(parts[0], key=parts[0].__getitem__, reverse=True):
        print(f"| {kind} | {' | '.join(f'{part.get(kind, 0):.1f}' for part in parts)} |")


if __name__ == "__main__":
    main()
