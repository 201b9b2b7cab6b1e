import errno
from itertools import pairwise

import pytest

from lenetctl.errors import NotFoundError
from lenetctl.tracking import failures


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Quota"), True),
        (OSError(errno.ECONNREFUSED, "refused"), False),
        (RuntimeError("(sqlite3.OperationalError) database or disk is full"), True),
        (RuntimeError("(sqlite3.OperationalError) database is locked"), False),
    ],
)
def test_a_full_disk_is_told_from_other_troubles(error, full):
    assert failures.is_full(error) is full


def raised_in_turn(*errors):
    """Return the last of `errors`, each raised while the one before was handled."""
    for before, after in pairwise(errors):
        after.__context__ = before
    return errors[-1]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            raised_in_turn(
                ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
                RuntimeError("API request failed with HTTPConnectionPool(…): refused"),
            ),
            "[Errno 111] Connection refused",
        ),
        (RuntimeError("\n  first http://ann:secret@h\nsecond"), "first http://***@h"),
        (raised_in_turn(KeyError("x"), NotFoundError("no such run")), "no such run"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_the_useful_line_of_an_error(error, line):
    assert failures.useful_line(error) == line
