import errno
import json
import os
import time

import pytest
from helpers import run_folders

from lenetctl.runs.store import ROOT, RunStore


def names(result):
    assert result.code == 0, result.err
    return [name.rpartition("-")[0] for name in result.out.split()]


def test_every_run_is_a_line_the_newest_last(lenetctl, project):
    result = lenetctl("runs", "ls")
    titles, *lines = result.out.splitlines()
    assert titles.split() == ["run", "status", "created", "test/accuracy"]
    assert [line.split()[0] for line in lines] == [run.path.name for run in project]
    assert lines[2].split()[1:] == ["FINISHED", "1970-01-01T00:00:00Z", "0.91"]
    assert lines[3].split()[1] == "FAILED"


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        (["model.pool.kind=max"], ["max-s0"]),
        (["status=failed"], ["hot-s0"]),
        (["status!=FINISHED", "outcome=diverged"], ["hot-s0"]),
        (["test/accuracy > 0.71"], ["baseline-s1", "max-s0"]),
        (["test/accuracy>0.71", "model.pool.kind=avg"], ["baseline-s1"]),
        (["best/test/accuracy>=0.92"], ["max-s0"]),
        (["training.seed<1", "training.optimizer.lr<=0.9"], ["baseline-s0", "max-s0"]),
        (["created<1970-01-02"], ["baseline-s0", "baseline-s1", "max-s0", "hot-s0"]),
        (["train/loss=null"], []),
    ],
)
def test_conditions_are_on_spec_status_and_metrics(lenetctl, project, conditions, found):
    options = [part for condition in conditions for part in ("--where", condition)]
    expected = found if "null" not in conditions[0] else ["hot-s0"]
    assert names(lenetctl("runs", "ls", "-q", *options)) == expected


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (["-w", "model.pool.kin=max"], "did you mean model.pool.kind?"),
        (["-w", "max"], "not a condition"),
        (["-w", "test/accuracy>high"], "high is no number"),
        (["--sort", "acuracy"], "acuracy: no run has it"),
        (["-c", "tags.who"], "tags.who: no run has it"),
    ],
)
def test_a_mistake_gets_one_line(lenetctl, project, option, words):
    result = lenetctl("runs", "ls", *option)
    assert result.code == 2
    assert words in result.err
    assert result.err.count("\n") == 1


def test_columns_and_order_are_chosen(lenetctl, project):
    result = lenetctl("runs", "ls", "-c", "model.pool.kind", "--sort", "test/accuracy")
    titles, *lines = result.out.splitlines()
    assert titles.split()[-1] == "model.pool.kind"
    assert lines[-1].split()[-1] == "max"


def test_json_has_everything_and_no_nan(lenetctl, project):
    result = lenetctl("runs", "ls", "--json")
    assert "NaN" not in result.out
    by_name = {run["name"]: run for run in result.json["runs"]}
    assert by_name["max-s0"]["model.pool.kind"] == "max"
    assert by_name["max-s0"]["best/test/accuracy"] == 0.92
    assert by_name["hot-s0"]["test/accuracy"] is None
    assert by_name["hot-s0"]["outcome"] == "diverged"


def test_one_that_is_damaged_is_named_and_one_that_died_is_ended(lenetctl, project):
    torn, dead, *_ = project
    (torn.path / "result.json").write_text("{")
    (dead.path / "status.json").write_text(json.dumps({"status": "RUNNING"}))
    result = lenetctl("runs", "ls", "--json")
    assert f"warning: skipped: {torn.path.relative_to(ROOT.absolute().parents[1])}" in result.err
    assert [run["status"] for run in result.json["runs"]] == ["KILLED", "FINISHED", "FAILED"]


def test_where_a_dead_run_cannot_be_ended_it_is_listed_as_it_is(lenetctl, project, monkeypatch):
    def read_only(_store):
        raise OSError(errno.EROFS, "Read-only file system")

    (project[0].path / "status.json").write_text(json.dumps({"status": "RUNNING"}))
    monkeypatch.setattr(RunStore, "end_dead", read_only)
    result = lenetctl("runs", "ls", "--json")
    assert result.json["runs"][0]["status"] == "RUNNING"


def test_nothing_to_list(lenetctl):
    result = lenetctl("runs", "ls")
    assert (result.code, result.out) == (0, "no runs in mlruns/lenetctl\n")
    assert lenetctl("runs", "ls", "--json").json == {"runs": []}
    assert lenetctl("runs", "ls", "-q").out == ""


def test_many_runs_are_listed_fast_and_without_torch(process, tmp_path):
    one = run_folders.run(tmp_path / "made", "baseline", 0.7)
    for number in range(300):
        path = tmp_path / ROOT / f"baseline-s0-{number}"
        path.mkdir(parents=True)
        for file in one.path.iterdir():
            os.link(file, path / file.name)
    start = time.perf_counter()
    result = process("runs", "ls", PYTHONPROFILEIMPORTTIME="1")
    assert time.perf_counter() - start < 10
    assert len(result.out.splitlines()) == 301
    imported = {line.rpartition("|")[2].strip() for line in result.err.splitlines()}
    assert not imported & {"torch", "mlflow", "pandas", "matplotlib", "sklearn", "scipy"}
