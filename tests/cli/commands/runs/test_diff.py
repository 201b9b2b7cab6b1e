import pytest


def test_what_differs_and_nothing_else(lenetctl, project):
    shown = lenetctl("runs", "diff", "baseline-s1", "max", "--json").json
    assert shown["runs"] == [project[1].path.name, project[2].path.name]
    assert shown["spec"] == {"model.pool.kind": ["avg", "max"], "training.seed": [1, 0]}
    assert shown["environment"] == {}
    assert shown["metrics"]["test/accuracy"] == [0.72, 0.91]
    assert "train/loss" not in shown["metrics"]


def test_as_a_table_of_several(lenetctl, project):
    result = lenetctl("runs", "diff", "baseline-s0", "max", "hot")
    assert result.code == 0, result.err
    line = next(line for line in result.out.splitlines() if "training.optimizer.lr" in line)
    assert [cell.strip() for cell in line.strip("│").split("│")] == [
        "training.optimizer.lr",
        "0.9",
        "0.9",
        "9",
    ]
    assert "the same environment" in result.out


@pytest.mark.parametrize(("runs", "code"), [(["max"], 2), (["max", "no"], 4)])
def test_two_runs_or_more(lenetctl, project, runs, code):
    assert lenetctl("runs", "diff", *runs).code == code
