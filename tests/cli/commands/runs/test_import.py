import csv
import io
import json
import os
import shutil

import pytest
from helpers import run_folders
from mlflow import MlflowClient

from lenetctl.runs.store import ROOT, RunStore


@pytest.fixture
def laptops(tmp_path):
    """Three students with the same two specs, whose folders are called the same."""
    handed_in = tmp_path / "handed-in"
    for student, gain in (("ann", 0.0), ("bob", 0.1), ("cy", 0.2)):
        made = [
            run_folders.run(
                tmp_path / "made", name, 0.6 + gain, data={"dataset": "digits"}, model=model
            )
            for name, model in (("baseline", {}), ("max", {"pool": {"kind": "max"}}))
        ]
        for run in made:
            run.write_record(run.record.model_copy(update={"user": "student"}))
            identity = run.record.spec_sha256[:8]
            home = handed_in / student / ROOT / f"{run.name}-{identity}-1"
            shutil.copytree(run.path, home)
            (home / "published.json").write_text(json.dumps({"run_id": "of another store"}))
            (home / "lock").touch()
    return sorted(handed_in.iterdir())


def rows(result):
    return list(csv.DictReader(io.StringIO(result.out)))


def test_equal_runs_of_several_people_all_stay(lenetctl, laptops):
    result = lenetctl("runs", "import", *laptops, "--by-folder", "--json")
    assert result.code == 0, result.err
    assert len(set(result.json["imported"])) == 6
    runs = RunStore().all()
    assert sorted(run.record.user for run in runs) == ["ann", "ann", "bob", "bob", "cy", "cy"]
    assert not any(
        (run.path / name).exists() for run in runs for name in ("published.json", "lock")
    )

    again = lenetctl("runs", "import", *laptops, "--by-folder", "--json").json
    assert (again["imported"], len(again["known"])) == ([], 6)
    assert len(RunStore().all()) == 6
    assert not list(ROOT.glob(".import-*"))


def test_people_are_compared_and_none_hides_another(lenetctl, laptops):
    lenetctl("runs", "import", *laptops, "--by-folder", "-q")
    people = rows(lenetctl("compare", "--group-by", "user", "--csv"))
    assert {(row["group"], row["n"]) for row in people} == {("ann", "2"), ("bob", "2"), ("cy", "2")}
    each = rows(lenetctl("compare", "--csv"))
    assert sum(int(row["n"]) for row in each) == 6
    assert "baseline (user=ann)" in {row["group"] for row in each}


def test_a_sweep_that_is_named_has_the_runs_of_everybody(lenetctl, laptops, write):
    lenetctl("runs", "import", *laptops, "--by-folder", "-q")
    spec = (RunStore().all()[0].path / "spec.yaml").read_text()
    result = lenetctl("compare", write(spec, "specs/baseline.yaml").parent, "--csv")
    assert {row["group"][-4:] for row in rows(result)} == {"ann)", "bob)", "=cy)"}
    assert "left out" not in result.err


def test_whose_they_are_is_told_by_the_run_the_folder_or_an_option(lenetctl, laptops):
    ann, bob, cy = laptops
    older = next((cy / ROOT).iterdir()) / "run.json"
    older.write_text(json.dumps({**json.loads(older.read_text()), "user": ""}))
    lenetctl("runs", "import", ann, cy, "-q")
    lenetctl("runs", "import", bob, "--user", "Bob B.", "-q")
    users = sorted(run.record.user for run in RunStore().all())
    assert users == ["Bob B.", "Bob B.", "cy", "student", "student", "student"]
    assert lenetctl("runs", "import", bob, "--user", "x", "--by-folder").code == 2


def test_one_that_is_damaged_keeps_no_other_out(lenetctl, laptops):
    torn, _ = sorted((laptops[0] / ROOT).iterdir())
    (torn / "status.json").write_text("{")
    result = lenetctl("runs", "import", laptops[0], "--json")
    assert result.code == 0
    assert len(result.json["imported"]) == 1
    assert f"warning: skipped: {torn / 'status.json'}: not valid" in result.err
    nothing = lenetctl("runs", "import", laptops[0].parent.parent / "made" / "nothing")
    assert nothing.code == 4


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_of_a_stranger_are_left_out(lenetctl, laptops, tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    run = next((laptops[0] / ROOT).iterdir())
    (run / "insights").mkdir()
    (run / "insights" / "page.html").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(run / "insights" / "pipe") if hasattr(os, "mkfifo") else None
    lenetctl("runs", "import", laptops[0], "-q")
    assert not list(ROOT.glob("*/insights/*"))


def test_an_imported_run_is_neither_gone_on_with_nor_done_for_one(lenetctl, laptops, write):
    for run in (laptops[0] / ROOT).iterdir():
        (run / "status.json").write_text(json.dumps({"status": "KILLED", "outcome": "killed"}))
    lenetctl("runs", "import", *laptops, "-q")
    spec = write((RunStore().all()[0].path / "spec.yaml").read_text(), "same.yaml")
    planned = lenetctl("sweep", spec, "--dry-run", "--json").json
    assert planned["counts"] == {"planned": 1}
    resumed = lenetctl("train", spec, "--resume", "--smoke")
    assert "to go on with: a new one begins" in resumed.out
    assert len(RunStore().all()) == 7


def test_whose_they_are_is_told_in_mlflow(lenetctl, write, tmp_path, tracking_uri, monkeypatch):
    there = tmp_path / "ann"
    there.mkdir()
    spec = write().absolute()
    monkeypatch.chdir(there)
    monkeypatch.setenv("LOGNAME", "ann-on-her-laptop")
    assert lenetctl("train", spec, "--smoke", "-q").code == 0
    monkeypatch.chdir(tmp_path)
    assert lenetctl("runs", "import", there, "-q").code == 0
    assert lenetctl("sync", "-q").code == 0
    (run,) = RunStore().all()
    found = MlflowClient(tracking_uri).get_run(run.published.run_id)
    assert found.data.tags["mlflow.user"] == "ann-on-her-laptop"
