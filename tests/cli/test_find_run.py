from helpers import run_folders

from lenetctl.cli.find_run import find_run
from lenetctl.runs.store import ROOT


def test_of_runs_of_one_name_it_says_which_it_is(capsys):
    older, newer = (run_folders.run(ROOT, "quick", 0.8, training={"epochs": n}) for n in (1, 2))
    assert find_run("quick-s0") == newer
    told = f"quick-s0: of 2 runs of this name the newest, {newer.path.name}\n"
    assert capsys.readouterr().err == told
    assert find_run(older.path.name) == older
    assert find_run("latest") == newer
    assert capsys.readouterr().err == ""
