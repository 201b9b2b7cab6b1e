"""Trials on a real Ray cluster of this machine: `uv run --extra ray pytest -m slow …`."""

import os
import signal

import pytest
from helpers.equality import metrics
from helpers.sweeps import EventRecorder, beside_serial, prune_second_epoch, run_of

from lenetctl.artifacts import draw
from lenetctl.errors import UsageError
from lenetctl.sweeps.executors.base import ExecutorSettings, make_executor

executor = pytest.importorskip(
    "lenetctl.sweeps.executors.ray", reason="Ray is not installed: uv run --extra ray"
)
ray = executor.ray  # imported there, after what it sets for it
pytestmark = pytest.mark.slow


def cluster(trials, options, listener, *, draw=draw, **extra):
    settings = ExecutorSettings(options, draw=draw, extra=extra)
    make_executor("ray", settings).run(trials, listener)


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
def gpus(nodes):
    """Two nodes more, each of which pretends to have a GPU."""
    added = [nodes.add_node(num_cpus=1, num_gpus=1) for _ in range(2)]
    nodes.wait_for_nodes()
    yield
    for node in added:
        nodes.remove_node(node)


@pytest.mark.parametrize(
    ("nodes", "jobs", "in_fleets", "tasks", "cpus", "gpus"),
    [
        ([(4, 0), (4, 0)], None, False, 8, 1, 0),
        ([(4, 0), (4, 0)], 4, False, 4, 2, 0),
        ([(4, 0), (4, 0)], 1, False, 1, 4, 0),  # no node has eight
        ([(0, 0), (8, 2), (8, 2)], 8, False, 8, 2, 0.5),
        ([(64, 0), (8, 2), (8, 2)], None, True, 4, 4, 1),  # the first has no GPU
        ([(8, 2), (8, 2)], 2, True, 2, 8, 1),
        ([(4, 0), (4, 0)], None, True, 8, 1, 0),
    ],
)
def test_each_task_asks_for_its_share_of_what_there_is(nodes, jobs, in_fleets, tasks, cpus, gpus):
    there = [{"Alive": True, "Resources": {"CPU": c, "GPU": g}} for c, g in nodes]
    gone = {"Alive": False, "Resources": {"CPU": 99.0, "GPU": 9.0}}
    share = {"num_cpus": cpus, "num_gpus": gpus}
    assert executor.share_out([*there, gone], jobs, in_fleets=in_fleets) == (tasks, share)


@pytest.mark.parametrize("extra", [{"fleet": "many"}, {"fleet": 0}, {"partition": "gpu"}])
def test_it_has_one_option(trials, options, extra):
    with pytest.raises(UsageError, match="its one option is fleet=N"):
        cluster(trials(0), options, EventRecorder(), **extra)


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


@pytest.mark.parametrize("extra", [{}, {"fleet": 2}])
def test_an_interrupt_leaves_no_run_behind(nodes, trials, options, extra):
    def stop(event):
        if event.run and event.run.epochs():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cluster(trials(0, 1, epochs=2000), options, EventRecorder(stop), **extra)
    assert {run.status.state for run in options.store.all()} == {"KILLED"}


def test_a_fleet_is_packed_on_each_gpu_and_its_models_are_decided_on_one_by_one(
    gpus, trials, options
):
    def note_node(run, _):  # where the other executors draw
        (run.path / "node").write_text(ray.get_runtime_context().get_node_id())

    def prune(event):
        return prune_second_epoch(event) if event.sha256 == pruned.sha256 else None

    recorder = EventRecorder(prune)
    pruned, *others = alike = trials(0, 1, 2, 3, epochs=3)
    odd = trials(0, epochs=3, data={"batch_size": 64})
    cluster([*alike, *odd], options, recorder, draw=note_node, fleet=64)
    assert recorder.of(pruned) == ["started", "epoch_end", "pruned"]
    for one in (*others, *odd):
        assert recorder.of(one) == ["started", "epoch_end", "finished"]
        assert [line["epoch"] for line in run_of(one, options).epochs()] == [1, 2, 3]
    *of_alike, of_odd = (run_of(one, options).record.engine for one in (*alike, *odd))
    assert of_alike == ["fleet"] * 4
    assert of_odd != "fleet"
    one, two, three = ((run_of(done, options).path / "node").read_text() for done in others)
    assert one != two == three  # two fleets of two, on a GPU each


def test_a_killed_fleet_goes_on_without_those_that_had_ended(gpus, trials, options):
    killed = []

    def kill(event):
        if event.kind == "epoch_end" and len(event.run.epochs()) == 2 and not killed:
            killed.append(event.run.status.pid)
            os.kill(killed[0], signal.SIGKILL)

    recorder = EventRecorder(kill)
    bad, *good = made = trials(None, 0, 1, 2, 3, epochs=4)
    cluster(made, options, recorder, fleet=64)
    assert recorder.of(bad) == ["started", "failed"]
    assert run_of(bad, options).status.outcome == "diverged"
    again = ["started", "epoch_end", "killed", "started", "epoch_end", "finished"]
    assert sum(recorder.of(one) == again for one in good) == 2
    for one in good:
        assert recorder.of(one)[-1] == "finished"
        assert [line["epoch"] for line in run_of(one, options).epochs()] == [1, 2, 3, 4]


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
