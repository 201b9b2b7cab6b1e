"""Trials on a real Ray cluster of this machine: `uv run --extra ray pytest -m slow …`."""

import os
import signal

import pytest
from helpers.trial_events import Ear, metrics

from lenetctl import specs
from lenetctl.errors import UsageError
from lenetctl.runs.options import RunOptions
from lenetctl.runs.store import every
from lenetctl.sweeps.executors.processes import serial
from lenetctl.sweeps.plan import Trial
from lenetctl.sweeps.trial import prepare

ray = pytest.importorskip("ray", reason="Ray is not installed: uv run --extra ray")
pytestmark = pytest.mark.slow


def cluster(*args):
    from lenetctl.sweeps.executors.ray import cluster

    cluster(*args)


@pytest.fixture(scope="module")
def nodes():
    """A cluster of a head that does no work and two nodes with a CPU each."""
    from ray.cluster_utils import Cluster

    made = Cluster()
    made.add_node(num_cpus=0)
    made.add_node(num_cpus=1, resources={"one": 1})
    made.add_node(num_cpus=1, resources={"other": 1})
    made.connect()
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture
def options(tmp_path):
    prepare(tmp_path / "ray")
    return RunOptions(tmp_path / "ray", device="cpu")


@pytest.fixture
def trials(digits, tmp_path):
    def make(*seeds, **training):
        made = [digits(seed=seed, **training) for seed in seeds]
        return [Trial(spec, specs.sha256(spec), tmp_path / "quick.yaml", {}) for spec in made]

    return make


def run_of(trial, options):
    (run,) = [one for one in every(options.root) if one.record["spec_sha256"] == trial.sha256]
    return run


def test_without_an_address_there_is_no_cluster(trials, options, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(UsageError, match="set RAY_ADDRESS"):
        cluster(trials(0), options, Ear())


def test_its_runs_have_the_bits_of_the_serial_executor(nodes, trials, options, tmp_path):
    ear = Ear()
    cluster(trials(0, 1, 2), options, ear)
    assert [ear.of(one) for one in trials(0, 1, 2)] == [["running", "finished"]] * 3
    alone = RunOptions(tmp_path / "serial", device="cpu")
    prepare(alone.root)
    serial(trials(0, 1, 2), alone, Ear())
    for trial in trials(0, 1, 2):
        assert metrics(run_of(trial, options)) == metrics(run_of(trial, alone))


def test_a_true_answer_prunes(nodes, trials, options):
    class Pruner(Ear):
        def __call__(self, news):
            super().__call__(news)
            return news.run is not None and len(news.run.epochs()) == 2

    ear, (trial,) = Pruner(), trials(0, epochs=50)
    cluster([trial], options, ear)
    assert ear.of(trial) == ["running", "pruned"]
    assert len(run_of(trial, options).epochs()) == 2


def test_the_trial_of_a_killed_task_is_tried_again_once(nodes, trials, options):
    killed = []

    def kill(news):
        if news.status == "running" and news.run and len(news.run.epochs()) == 1 and not killed:
            killed.append(news.run.status["pid"])
            os.kill(killed[0], signal.SIGKILL)

    ear, (trial,) = Ear(kill), trials(0, epochs=4)
    cluster([trial], options, ear)
    assert ear.of(trial) == ["running", "killed", "running", "finished"]
    assert [line["epoch"] for line in run_of(trial, options).epochs()] == [1, 2, 3, 4]


def test_an_interrupt_leaves_no_run_behind(nodes, trials, options):
    def stop(news):
        if news.run and news.run.epochs():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cluster(trials(0, 1, epochs=2000), options, Ear(stop))
    assert {run.status["status"] for run in every(options.root)} == {"KILLED"}


def test_the_runs_of_a_lost_node_are_tried_again_elsewhere(nodes, trials, options):
    doomed = nodes.add_node(num_cpus=2, resources={"doomed": 1})
    nodes.wait_for_nodes()
    lost = []

    def lose(news):
        if len(every(options.root)) == 4 and not lost:
            lost.append(doomed)
            nodes.remove_node(doomed, allow_graceful=False)  # SIGKILL

    ear, made = Ear(lose), trials(0, 1, 2, 3, epochs=300)
    cluster(made, options, ear)
    assert lost
    assert sum("killed" in ear.of(one) for one in made) == 2  # those of the lost node
    for one in made:
        assert ear.of(one)[-1] == "finished"
        run = run_of(one, options)
        assert run.status["status"] == "FINISHED"
        assert [line["epoch"] for line in run.epochs()] == list(range(1, 301))
