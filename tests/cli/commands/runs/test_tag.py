import pytest
from mlflow import MlflowClient

from lenetctl.runs.store import RunStore


def test_tags_are_given_shown_and_taken_away(lenetctl, project):
    assert lenetctl("runs", "tag", "max", "who=Ann B.", "for report=yes=1").code == 0
    assert lenetctl("runs", "tag", "max", "--json").json["tags"] == {
        "who": "Ann B.",
        "for report": "yes=1",
    }
    assert lenetctl("runs", "tag", "max", "who=Bo", "--remove", "for report", "-q").out == (
        "who=Bo\n"
    )
    assert lenetctl("runs", "ls", "-q", "-w", "tags.who=Bo").out.startswith("max-s0")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["who"], "must be KEY=VALUE"),
        (["=x"], "a tag's key has letters"),
        (["../x=1"], "a tag's key has letters"),
        (["lenetctl.sweep=x"], "set tags of this name themselves"),
        (["outcome=x"], "set tags of this name themselves"),
        (["--remove", "who"], "no such tag"),
        ([f"who={'x' * 5001}"], "at most 5,000 characters"),
    ],
)
def test_a_mistake_gets_one_line_and_changes_nothing(lenetctl, project, arguments, words):
    result = lenetctl("runs", "tag", "max", *arguments)
    assert result.code == 2
    assert words in result.err
    assert all(not run.record.tags for run in RunStore().all())


def test_mlflow_hears_of_them_on_sync(lenetctl, write, tracking_uri):
    assert lenetctl("train", write(), "--smoke", "-q").code == 0
    lenetctl("runs", "tag", "latest", "who=Ann", "good=yes")
    assert lenetctl("sync", "--json").json["published"]
    run = RunStore().find("latest")
    tags = MlflowClient(tracking_uri).get_run(run.published.run_id).data.tags
    assert (tags["who"], tags["good"]) == ("Ann", "yes")
    lenetctl("runs", "tag", "latest", "who=Bo", "--remove", "good")
    assert lenetctl("sync", "--json").json["published"]
    tags = MlflowClient(tracking_uri).get_run(run.published.run_id).data.tags
    assert tags["who"] == "Bo"
    assert "good" not in tags
    assert lenetctl("sync", "--json").json["published"] == []
