import pytest


def test_a_run_is_shown_with_its_spec(lenetctl, project):
    result = lenetctl("runs", "show", "max")
    assert result.code == 0, result.err
    values = dict(line.split(maxsplit=1) for line in result.out.partition("\n\n")[0].splitlines())
    assert values["run"] == project[2].path.name
    assert values["status"] == "FINISHED"
    assert values["best/test/accuracy"] == "0.92"
    assert "kind: max" in result.out.partition("\n\n")[2]
    assert "kind: max" not in lenetctl("runs", "show", "max", "-q").out


def test_as_json_with_epochs_and_without_nan(lenetctl, project):
    shown = lenetctl("runs", "show", "baseline-s1", "--json").json
    assert shown["spec"]["training.seed"] == 1
    assert [epoch["epoch"] for epoch in shown["epochs"]] == [1, 2]
    assert shown["run_id"] is None
    diverged = lenetctl("runs", "show", "hot", "--json")
    assert "NaN" not in diverged.out
    assert diverged.json["outcome"] == "diverged"


@pytest.mark.parametrize("name", ["no", "b"])
def test_there_must_be_one_such_run(lenetctl, project, name):
    assert lenetctl("runs", "show", name).code == 4
