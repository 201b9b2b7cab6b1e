from pathlib import Path

import pytest
from helpers import run_folders

from lenetctl.cli.find_run import find_run, find_run_or_spec
from lenetctl.errors import NotFoundError
from lenetctl.runs.store import ROOT


def test_of_runs_of_one_name_it_says_which_it_is(capsys):
    older, newer = (run_folders.run(ROOT, "quick", 0.8, training={"epochs": n}) for n in (1, 2))
    assert find_run("quick-s0") == newer
    told = f"quick-s0: of 2 runs of this name the newest, {newer.path.name}\n"
    assert capsys.readouterr().err == told
    assert find_run(older.path.name) == older
    assert find_run("latest") == newer
    assert capsys.readouterr().err == ""


def test_a_spec_is_a_file_or_where_no_run_is_called_so_a_shipped_one(capsys):
    for spec in ("mine.yaml", "folder/mine.yml"):
        assert find_run_or_spec(spec) == Path(spec)
    assert capsys.readouterr().err == ""
    for spec in ("baseline", "book/d2l-en"):
        assert find_run_or_spec(spec) == Path(spec)
        assert f"{spec}: the shipped spec, before any training\n" == capsys.readouterr().err
    run = run_folders.run(ROOT, "baseline", 0.8)
    assert find_run_or_spec("baseline") == run
    with pytest.raises(NotFoundError):
        find_run_or_spec("book/none")
