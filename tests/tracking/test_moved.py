import shutil
import sqlite3

import pytest

from lenetctl.runs.folder import Run
from lenetctl.runs.store import ROOT
from lenetctl.tracking import store
from lenetctl.tracking.publish import is_current, publish
from lenetctl.tracking.uri import choose_uri, sqlite_uri


@pytest.fixture
def project(finished, empty_database, tmp_path, monkeypatch):
    """Make a project with a published run in it, as a command leaves it."""

    def make(name):
        folder = tmp_path / name
        run = Run(shutil.copytree(finished.path, folder / ROOT / finished.path.name))
        shutil.copy(empty_database, folder)
        publish(store.open_client(sqlite_uri(folder / "mlflow.db")), choose_uri(None, run), run)
        return folder

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return make


def add_run(folder):
    """Publish another run of a project; return its id."""
    (first,) = (file.parent for file in (folder / ROOT).glob("*/run.json"))
    later = Run(shutil.copytree(first, folder / ROOT / "later-1"))
    (later.path / "published.json").unlink()
    later.write_record(later.record.model_copy(update={"created": later.record.created + 1}))
    client = store.open_client(sqlite_uri(folder / "mlflow.db"))
    publish(client, choose_uri(None, later), later)
    return client, Run(first), later


def models(folder):
    return sorted(folder.rglob("MLmodel"))


@pytest.mark.parametrize("also_gone", [False, True], ids=["copied", "moved"])
def test_a_project_elsewhere_finds_its_artifacts_and_adds_to_them(project, tmp_path, also_gone):
    before = project("a")
    after = shutil.copytree(before, tmp_path / "b")
    if also_gone:
        shutil.rmtree(before)
    there = models(before)
    client, first, later = add_run(after)
    for run in (first, later):
        names = {item.path for item in client.list_artifacts(run.published.run_id)}
        assert {"spec.yaml", "curves.png"} <= names
        assert client.get_run(run.published.run_id).info.artifact_uri.startswith(after.as_uri())
    assert models(before) == there
    assert len(models(after)) == 2
    experiment = client.get_experiment_by_name("lenet")
    assert experiment.artifact_location.startswith((after / "mlruns").as_uri())
    assert is_current(first, sqlite_uri(after / "mlflow.db"))


def test_a_copy_without_the_artifacts_does_not_add_to_those_of_the_first(project, tmp_path):
    before = project("a")
    after = shutil.copytree(before, tmp_path / "b", ignore=shutil.ignore_patterns("[0-9]*"))
    there = models(before)
    client, _, later = add_run(after)
    assert models(before) == there
    assert {item.path for item in client.list_artifacts(later.published.run_id)} > {"spec.yaml"}


def test_a_path_with_percent_signs_is_taken_as_it_is(project, tmp_path):
    folder = project("100%20done")
    add_run(folder)
    assert len(models(folder)) == 2
    assert not (tmp_path / "100 done").exists()


def test_artifacts_that_are_kept_elsewhere_on_purpose_stay_there(client, uri, tmp_path):
    (tmp_path / "mlruns/lenetctl").mkdir(parents=True)
    places = [tmp_path / "kept", tmp_path / "other/mlruns/2", tmp_path / "other/mlruns/1"]
    for number, place in enumerate(places, 1):
        place.mkdir(parents=True)
        client.create_experiment(str(number), artifact_location=place.as_uri())
    store.open_client(uri)
    found = {e.artifact_location for e in client.search_experiments()}
    assert {place.as_uri() for place in places} <= found


def test_registered_models_move_too(project, tmp_path):
    before = project("a")
    client = store.open_client(sqlite_uri(before / "mlflow.db"))
    (folder,) = (file.parent for file in (before / ROOT).glob("*/run.json"))
    run = client.get_run(Run(folder).published.run_id)
    client.create_registered_model("lenet")
    client.create_model_version("lenet", f"{run.info.artifact_uri}/model", run.info.run_id)
    after = before.rename(tmp_path / "b")
    moved = store.open_client(sqlite_uri(after / "mlflow.db"))
    (version,) = moved.search_model_versions("name = 'lenet'")
    assert version.source.startswith(after.as_uri())


def test_a_place_that_is_gone_is_left(uri, tmp_path):
    with sqlite3.connect(tmp_path / "mlflow.db") as other:
        other.execute("UPDATE experiments SET artifact_location = '/gone/mlruns/0'")
    (tmp_path / "mlruns/lenetctl").mkdir(parents=True)
    client = store.open_client(uri)
    assert client.get_experiment("0").artifact_location == (tmp_path / "mlruns/0").as_uri()
