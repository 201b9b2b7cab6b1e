"""Trials on a real Ray cluster of this machine: `uv run --extra ray pytest -m slow …`."""

import os
import signal

import pytest
from helpers.equality import metrics
from helpers.sweeps import EventRecorder, beside_serial, prune_second_epoch, run_of

from lenetctl.artifacts import draw
from lenetctl.errors import UsageError
from lenetctl.sweeps.executors.base import ExecutorSettings, make_executor

ray = pytest.importorskip("ray", reason="Ray is not installed: uv run --extra ray")
pytestmark = pytest.mark.slow


def cluster(trials, options, listener):
    make_executor("ray", ExecutorSettings(options, draw=draw)).run(trials, listener)


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


def test_without_an_address_there_is_no_cluster(trials, options, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(UsageError, match="set RAY_ADDRESS"):
        cluster(trials(0), options, EventRecorder())


def test_its_runs_have_the_bits_of_the_serial_executor(nodes, trials, options):
    recorder, made = EventRecorder(), trials(0, 1, 2)
    cluster(made, options, recorder)
    assert [recorder.of(one) for one in made] == [["started", "epoch_end", "finished"]] * 3
    for run, alone in beside_serial(made, options):
        assert metrics(run) == metrics(alone)
        assert run.record.command == alone.record.command
        assert (run.figures / "curves.png").exists()  # drawn where it was trained


def test_a_trial_is_pruned_on_the_drivers_decision(nodes, trials, options):
    recorder, (trial,) = EventRecorder(prune_second_epoch), trials(0, epochs=50)
    cluster([trial], options, recorder)
    assert recorder.of(trial) == ["started", "epoch_end", "pruned"]
    assert len(run_of(trial, options).epochs()) == 2


def test_the_trial_of_a_killed_task_is_tried_again_once(nodes, trials, options):
    killed = []

    def kill(event):
        if event.kind == "epoch_end" and not killed:
            killed.append(event.run.status.pid)
            os.kill(killed[0], signal.SIGKILL)

    recorder, (trial,) = EventRecorder(kill), trials(0, epochs=4)
    cluster([trial], options, recorder)
    assert recorder.of(trial) == [
        *("started", "epoch_end", "killed"),
        *("started", "epoch_end", "finished"),
    ]
    assert [line["epoch"] for line in run_of(trial, options).epochs()] == [1, 2, 3, 4]


def test_an_interrupt_leaves_no_run_behind(nodes, trials, options):
    def stop(event):
        if event.run and event.run.epochs():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cluster(trials(0, 1, epochs=2000), options, EventRecorder(stop))
    assert {run.status.state for run in options.store.all()} == {"KILLED"}


def test_the_runs_of_a_lost_node_are_tried_again_elsewhere(nodes, trials, options):
    doomed = nodes.add_node(num_cpus=2, resources={"doomed": 1})
    nodes.wait_for_nodes()
    lost = []

    def lose(event):
        if len(options.store.all()) == 4 and not lost:
            lost.append(doomed)
            nodes.remove_node(doomed, allow_graceful=False)  # SIGKILL

    recorder, made = EventRecorder(lose), trials(0, 1, 2, 3, epochs=300)
    cluster(made, options, recorder)
    assert lost
    assert sum("killed" in recorder.of(one) for one in made) == 2  # those of the lost node
    for one in made:
        assert recorder.of(one)[-1] == "finished"
        run = run_of(one, options)
        assert run.status.state == "FINISHED"
        assert [line["epoch"] for line in run.epochs()] == list(range(1, 301))
