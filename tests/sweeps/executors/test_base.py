from types import SimpleNamespace

import pytest

from lenetctl.errors import UsageError
from lenetctl.runs.folder import Run
from lenetctl.runs.options import RunOptions
from lenetctl.sweeps.executors.base import ExecutorSettings, RetryQueue, make_executor


def trial(sha256):
    return SimpleNamespace(sha256=sha256)


def test_what_is_left_of_a_lost_batch_is_handed_out_first_and_once():
    a, b, c = map(trial, "abc")
    queue = RetryQueue([[a, b], [c]])
    assert queue.take() == [a, b]
    (again,) = queue.put_back([b], {}, "lost")  # a had ended
    assert (again.sha256, again.kind, again.message) == ("b", "killed", "lost; trying again")
    assert queue.take() == [b]
    (failed,) = queue.put_back([b], {}, "lost")
    assert (failed.kind, failed.message) == ("failed", "lost")
    assert queue.take() == [c]
    assert queue.take() is None


def test_a_batch_that_gets_further_each_time_is_tried_again_each_time(tmp_path):
    (a,), run = map(trial, "a"), Run(tmp_path)
    run.set_status("KILLED")
    queue = RetryQueue([[a]])
    for epochs, how in [(0, "killed"), (3, "killed"), (5, "killed"), (5, "failed")]:
        assert queue.take() == [a]
        run.write_epochs([{"epoch": n} for n in range(epochs)])
        (event,) = queue.put_back([a], {"a": run}, "lost")
        assert event.kind == how, epochs


def test_only_executors_elsewhere_take_options():
    settings = ExecutorSettings(RunOptions(), extra={"partition": "gpu"})
    with pytest.raises(UsageError, match="--executor-option: is for --executor ray or slurm"):
        make_executor("processes", settings)
