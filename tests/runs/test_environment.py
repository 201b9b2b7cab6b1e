import subprocess

import torch

from lenetctl.runs import environment


def test_it_names_versions_and_platform():
    described = environment.describe_environment()
    assert torch.__version__.startswith(described.torch)
    assert described.lenetctl
    assert described.platform


def test_outside_a_repository_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    described = environment.describe_environment()
    assert described.git_commit == described.git_dirty == ""


def test_only_changes_of_tracked_files_make_a_tree_dirty(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b.c")
    tmp_path.joinpath("a.yaml").write_text("")
    for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "one")):
        subprocess.run([*git, *command], check=True)
    tmp_path.joinpath("mlflow.db").write_text("what lenetctl writes")
    assert environment.describe_environment().git_dirty == "false"
    tmp_path.joinpath("a.yaml").write_text("name: b")
    assert environment.describe_environment().git_dirty == "true"
