import csv
import json
import pathlib
import sys

import pandas as pd
import pytest

from lenetctl.runs.store import ROOT


def test_csv_has_a_row_a_run_and_all_columns(lenetctl, project, tmp_path):
    assert lenetctl("runs", "export", "runs.csv").code == 0
    with pathlib.Path(tmp_path / "runs.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows] == [run.path.name for run in project]
    assert rows[2]["model.pool.kind"] == "max"
    assert rows[2]["best/test/accuracy"] == "0.92"
    assert rows[3]["best/test/accuracy"] == ""


def test_json_and_parquet_say_the_same(lenetctl, project, tmp_path):
    for name in ("runs.json", "runs.parquet"):
        result = lenetctl("runs", "export", name, "-w", "status=FINISHED")
        assert result.out == f"{name}: 3 runs\n"
    rows = json.loads((tmp_path / "runs.json").read_text())
    frame = pd.read_parquet(tmp_path / "runs.parquet")
    assert list(frame.columns) == list(rows[0])
    assert frame["test/accuracy"].tolist() == [row["test/accuracy"] for row in rows]
    assert frame["training.seed"].tolist() == [0, 1, 0]


def test_json_has_no_nan(lenetctl, project, tmp_path):
    lenetctl("runs", "export", "runs.json", "-q")
    assert "NaN" not in (tmp_path / "runs.json").read_text()


def test_a_column_of_numbers_and_words_is_text_in_parquet(lenetctl, project, tmp_path):
    lenetctl("runs", "tag", "max", "grade=1")
    record = project[0].record
    spec = {**record.spec, "data": {**record.spec["data"], "limit": 100}}
    project[0].write_record(record.model_copy(update={"spec": spec, "user": "Ann"}))
    assert lenetctl("runs", "export", "runs.parquet").code == 0
    frame = pd.read_parquet(tmp_path / "runs.parquet")
    assert frame["data.limit"].dropna().tolist() == [100]
    assert frame["tags.grade"].dropna().tolist() == ["1"]


@pytest.mark.parametrize(
    ("file", "code", "words"),
    [
        ("runs.xlsx", 2, "must end in .csv, .json, .parquet"),
        ("no/runs.csv", 2, "no/runs.csv"),
    ],
)
def test_a_file_that_cannot_be_written_is_named(lenetctl, project, file, code, words):
    result = lenetctl("runs", "export", file)
    assert result.code == code
    assert words in result.err


def test_without_a_library_for_parquet_it_says_so(lenetctl, project, monkeypatch):
    for name in ("pyarrow", "fastparquet"):
        monkeypatch.setitem(sys.modules, name, None)
    result = lenetctl("runs", "export", "runs.parquet")
    assert result.code == 2
    assert "Parquet needs pandas and pyarrow" in result.err


def test_nothing_to_export(lenetctl, tmp_path):
    result = lenetctl("runs", "export", "runs.csv")
    assert result.code == 4
    assert "no runs to export" in result.err
    assert not (tmp_path / "runs.csv").exists()
    assert not ROOT.exists()
