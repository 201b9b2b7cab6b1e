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
