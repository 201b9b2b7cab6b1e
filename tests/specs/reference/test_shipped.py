from pathlib import Path

import pytest

from lenetctl import specs
from lenetctl.errors import SpecError
from lenetctl.specs.reference.shipped import shipped_folder, shipped_specs
from lenetctl.sweeps.plan import plan_sweep


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_name_that_is_no_file_is_a_shipped_spec(tmp_path):
    assert specs.load_spec("quickstart") == specs.load_spec(shipped_folder() / "quickstart.yaml")
    assert specs.load_spec("exercise2/relu.yaml").model.activation == "relu"
    assert specs.load_spec("experiments/book/d2l-java.yaml").name == "d2l-java"
    (tmp_path / "quickstart").write_text("name: mine")
    assert specs.load_spec("quickstart").name == "mine"


def test_a_folder_of_shipped_specs_is_swept_by_name():
    paths = (shipped_folder() / "exercise1", Path("exercise1"))
    by_path, by_name = ([trial.sha256 for trial in plan_sweep(path).trials] for path in paths)
    assert by_name == by_path


def test_a_misspelt_name_is_told_with_the_right_one():
    with pytest.raises(SpecError, match="did you mean the shipped spec quickstart"):
        specs.load_spec("quikstart")
    with pytest.raises(SpecError, match=r"No such file or directory$"):
        specs.load_spec("something/else")


@pytest.mark.parametrize("name", ["../baseline", ".", "/baseline", ""])
def test_no_name_leads_out_of_the_shipped_ones(name):
    with pytest.raises(SpecError):
        specs.load_spec(name)


def test_each_is_listed_once():
    names = list(shipped_specs())
    assert {"quickstart", "baseline", "book/d2l-java", "exercise1/max"} <= set(names)
    assert not any(name.endswith("sweep") for name in names)
