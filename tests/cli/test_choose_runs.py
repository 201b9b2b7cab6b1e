from collections import Counter

from helpers import run_folders

from lenetctl.analysis.comparison import compare_runs
from lenetctl.cli.choose_runs import Choice, choose_runs
from lenetctl.runs.folder import Run
from lenetctl.runs.store import ROOT


def test_a_comparison_of_all_runs_reads_every_file_once(monkeypatch):
    run_folders.seeds(ROOT, "baseline", [0.5, 0.6])
    reads, read = Counter(), Run._read

    def counted(run, name, *rest):
        reads[run.path.name, name] += 1
        return read(run, name, *rest)

    monkeypatch.setattr(Run, "_read", counted)
    compare_runs(choose_runs(Choice(), print))
    assert set(reads.values()) == {1}


def test_a_torn_run_is_named_and_the_others_are_compared():
    whole, torn = run_folders.seeds(ROOT, "baseline", [0.5, 0.6])
    (torn.path / "run.json").write_text('{"na')
    said = []
    assert [run.path for run in choose_runs(Choice(), said.append)] == [whole.path]
    (line,) = said
    assert line.startswith(f"skipped: {torn.path}/run.json: not valid")
