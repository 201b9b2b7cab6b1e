import pytest

from lenetctl.errors import UsageError
from lenetctl.specs.reference.keys import find_keys, key_references


def test_every_row_of_the_page_is_read():
    rows = key_references()
    assert {row.path for row in rows} >= {"name", "data.limit", "model.conv.channels"}
    assert all(row.meaning for row in rows)


def test_a_key_is_found_for_each_kind_that_has_it():
    rows = find_keys("training.optimizer.lr")
    assert [row.section.rpartition(" ")[2] for row in rows] == ["sgd", "adam", "adamw", "sdlm"]
    assert rows[0].default == "0.9"


def test_a_section_is_all_its_keys_and_a_number_an_entry():
    assert {row.key for row in find_keys("model.conv")} >= {"channels", "kernel", "stride"}
    assert [row.key for row in find_keys("model.conv.0.kernel")] == ["kernel"]


@pytest.mark.parametrize(("wanted", "meant"), [("lr", "optimizer.lr"), ("data.limt", "data.limit")])
def test_what_is_no_key_is_told_with_what_may_be_meant(wanted, meant):
    with pytest.raises(UsageError, match=rf"no such key; did you mean .*{meant}"):
        find_keys(wanted)
