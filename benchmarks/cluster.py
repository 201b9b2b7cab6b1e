"""What does a tiny trial cost on a Ray cluster, and whose processor time is it?

    python benchmarks/cluster.py [--runs 2000] [--epochs 1] [--tracking sqlite|server|postgresql]

Starts a Ray cluster of processes on this machine and one `lenetctl sweep --executor ray` over seeds
there, on 200 digits. Prints the processor time per trial of each kind of process, start-up
aside: from the end of the tenth trial on. On a cluster each kind has machines of its own; of those
that there is one of (driver, writer, servers), the largest bounds how many trials a second go.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
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


def spent() -> dict[tuple[int, float], tuple[str, float]]:
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
        first, before, started = ended(folder), spent(), time.perf_counter()
        now = dict(before)
        trained = 0.0  # seconds until the last trial had ended; the rest is publishing
        while sweep.poll() is None:
            now |= spent()  # the last that was seen of a process that has ended
            if not trained and ended(folder) == chosen.runs:
                trained = time.perf_counter() - started
            time.sleep(0.5)
        whole = time.perf_counter() - started
        if sweep.returncode:
            raise SystemExit(f"the sweep ended with {sweep.returncode}")
    trials, trained = chosen.runs - first, trained or whole
    share: Counter[str] = Counter()
    for key, (kind, seconds) in now.items():
        share[kind] += seconds - before.get(key, (kind, 0.0))[1]
    print(sentence())
    print(f"{chosen.runs} trials of {chosen.epochs} epochs on two CPUs, {chosen.tracking}")
    print(f"trained at {trials / trained:.2f} trials/s, with MLflow {trials / whole:.2f} trials/s")
    print("| process | ms of processor time a trial |\n| --- | ---: |")
    for kind, seconds in share.most_common():
        print(f"| {kind} | {1000 * seconds / trials:.1f} |")


if __name__ == "__main__":
    main()
