import pytest

from lenetctl.errors import UsageError
from lenetctl.runs.listing.conditions import Condition


@pytest.mark.parametrize(
    ("text", "cell", "holds"),
    [
        ("a=1", 1.0, True),
        ("a=1e0", 1, True),
        ("a != 1", 1, False),
        ("a<=1", 1, True),
        ("a<1", 1, False),
        ("a>=-.5", -0.5, True),
        ("a=True", "true", True),
        ("a=x=y", "X=Y", True),
        ("a=one", 1, False),
        ("a!=one", 1, True),
        ("a=", "", True),
        ("a>2026-11", "2026-11-25T00:00:00Z", True),
        ("a>1", float("nan"), False),
        ("a=null", None, True),
        ("a!=null", None, False),
        ("a!=1", None, True),
        ("a>1", None, False),
    ],
)
def test_numbers_are_compared_as_such_and_text_without_case(text, cell, holds):
    assert Condition.parse(text).holds(cell) is holds


@pytest.mark.parametrize("text", ["", "a", "=1", "a b=1"])
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(UsageError, match="not a condition"):
        Condition.parse(text)
