from io import StringIO

import pytest
from helpers import run_folders
from rich.console import Console

from lenetctl.analysis.comparison import rank_runs
from lenetctl.analysis.groups import read_runs
from lenetctl.cli.views.leaderboard import leaderboard_document, print_leaderboard
from lenetctl.runs.store import RunStore

MAX = {"pool": {"kind": "max"}}


def ranking(*runs):
    return rank_runs(read_runs(dict.fromkeys(runs)))


def printed(found):
    console = Console(file=StringIO(), width=200)
    print_leaderboard(found, console)
    return " ".join(console.file.getvalue().split())  # however wide the table, and so its caption


def test_validation_ranks_and_test_stands_beside_it(tmp_path):
    runs = [
        run_folders.run(tmp_path, "a", 0.9, validation=(0.8, 0.81)),
        run_folders.run(tmp_path, "b", 0.7, validation=(0.5, 0.85), model=MAX),
        run_folders.run(tmp_path, "b", 0.8, seed=1, validation=(0.5, 0.95), model=MAX),
    ]
    found = ranking(*runs)
    assert leaderboard_document(found) == {
        "metric": "validation/accuracy",
        "rows": [
            {
                "name": "b",
                "n": 2,
                "validation/accuracy": {
                    "mean": pytest.approx(0.9),
                    "std": pytest.approx(0.0707, abs=1e-4),
                },
                "test/accuracy": {
                    "mean": pytest.approx(0.75),
                    "std": pytest.approx(0.0707, abs=1e-4),
                },
            },
            {
                "name": "a",
                "n": 1,
                "validation/accuracy": {"mean": 0.81, "std": None},
                "test/accuracy": {"mean": 0.9, "std": None},
            },
        ],
    }
    text = printed(found)
    assert "ranked by validation accuracy of the best epoch; the test set was read once" in text
    assert "0.9000 ± 0.0707" in text
    assert "peeks" not in text


@pytest.mark.parametrize(
    ("validation", "said"),
    [(None, "no validation split is set"), ((0.5, 0.6), "not every run has a validation split")],
)
def test_a_ranking_by_the_test_set_says_that_it_peeks(tmp_path, validation, said):
    runs = [
        run_folders.run(tmp_path, "a", 0.8, validation=validation),
        run_folders.run(tmp_path, "b", 0.9, model=MAX),
    ]
    found = ranking(*runs)
    document = leaderboard_document(found)
    assert document["metric"] == "test/accuracy"
    assert document["rows"][0]["validation/accuracy"] is None
    caption = f"ranked by test accuracy: {said}, so choosing here peeks at the test set"
    assert caption in printed(found)


def test_runs_on_other_data_are_no_seeds_of_each_other(tmp_path):
    runs = [
        run_folders.run(tmp_path, "a", 0.1),
        run_folders.run(tmp_path, "a", 0.9, seed=1, digest="e" * 64),
    ]
    assert [row["n"] for row in leaderboard_document(ranking(*runs))["rows"]] == [1, 1]


def test_of_hundreds_the_first_are_printed(tmp_path):
    runs = [
        run_folders.run(tmp_path, f"spec{n}", n / 40, training={"ema": n / 40})
        for n in range(1, 31)
    ]
    text = printed(ranking(*runs))
    assert "the first 25 of 30, ranked by" in text
    assert "spec6 " in text
    assert "spec5 " not in text


def test_at_60_columns_a_name_is_still_whole(tmp_path):
    name = "quick-model.activation-relu-lr=0.05"
    runs = [
        run_folders.run(tmp_path, name, 0.1, seed=seed, validation=(0.1, 0.1)) for seed in range(2)
    ]
    console = Console(file=StringIO(), width=60)
    print_leaderboard(ranking(*runs), console)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 60
    table = [line for line in lines if line[:1] in " 1" and "ranked" not in line]
    assert name in "".join(line[3:23].strip() for line in table)


@pytest.mark.parametrize("validation", [None, (0.1234, 0.1234)])
def test_at_60_columns_no_number_is_cut(tmp_path, validation):
    name = "quick-model.activation-relu-lr=0.05"
    for seed in range(2):
        run_folders.run(tmp_path, name, 0.1234, seed=seed, validation=validation)
    run_folders.run(tmp_path, name, 0.1, seed=2, status="FAILED", outcome="diverged")
    console = Console(file=StringIO(), width=60)
    print_leaderboard(ranking(*RunStore(tmp_path).all()), console)
    text = console.file.getvalue()
    assert text.count("0.1234 ± 0.0000") == (2 if validation else 1)
    assert ("validation acc" in text) == bool(validation)
