from types import SimpleNamespace

from lenetctl.sweeps.executors.base import RetryQueue


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
