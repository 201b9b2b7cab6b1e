from importlib.util import find_spec

import pytest
import torch

from lenetctl.runs.store import RunStore
from lenetctl.runs.weights import kept_epochs, load_net

SPEC = """\
data: {dataset: digits, limit: 256, batch_size: 128, validation: 100}
model: {activation: relu}
training: {epochs: 1, optimizer: {kind: sgd, lr: 0.1}}
"""
SEARCH = (
    "--search",
    "random",
    "--confirm",
    0,
    "-g",
    "training.optimizer.lr={low: 0.01, high: 1.0, log: true}",
)


@pytest.fixture
def quick(write):
    return write(SPEC)


def test_a_search_runs_ranks_and_goes_on_where_it_stopped(lenetctl, quick):
    first = lenetctl("sweep", quick, *SEARCH, "--trials", 1, "--json")
    assert first.code == 0, first.err
    document = first.json
    assert document["sweep"] == "quick"
    assert document["counts"] == {"finished": 1}
    assert document["leaderboard"]["metric"] == "validation/accuracy"
    ((trial,), again) = document["trials"], lenetctl("sweep", quick, *SEARCH, "--trials", 2)
    assert again.code == 0, again.err
    assert "quick: 1 of 2 trials done; training.optimizer.lr: 0.01 to 1.0, log" in again.out
    assert trial["name"] not in again.out
    assert "1 finished" in again.out
    assert f"lenetctl train {quick} -s training.optimizer.lr=" in again.out.replace("\n", " ")
    done = lenetctl("sweep", quick, *SEARCH, "--trials", 2, "--json")
    assert (done.code, done.json["trials"]) == (0, [])


def test_a_dry_run_of_a_search_says_what_is_searched(lenetctl, quick):
    another = ("-s", "data.limit=9")  # than the one before, whose trials are in the same store
    shown = lenetctl("sweep", quick, *SEARCH, *another, "--trials", 9, "--dry-run")
    assert shown.code == 0
    assert shown.out == "quick: 0 of 9 trials done; training.optimizer.lr: 0.01 to 1.0, log\n"


def test_a_dry_run_shows_where_each_trial_differs(lenetctl, quick, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    grid = ("-g", "data.limit=9", "-g", "training.optimizer.kind=sgd,adam,adamw")
    shown = lenetctl("sweep", quick, *grid, "--dry-run")
    rows = [line.split("│")[2:4] for line in shown.out.splitlines() if "│" in line]
    of_sgd = "optimizer.lr=0.1 optimizer.momentum=0.0 optimizer.nesterov=false"
    assert [[cell.strip() for cell in row] for row in rows] == [
        [f"limit=9 optimizer.kind=sgd {of_sgd}", "0.1"],
        ["limit=9 optimizer.kind=adam", "0.001"],
        ["limit=9 optimizer.kind=adamw", "0.001"],
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--search", "tpe", "-g", "model.dropout=0,0.5"), "--trials N go together"),
        (("--trials", 5), "--trials N go together"),
        ((*SEARCH, "--trials", 5, "--force"), "--force: a search repeats nothing"),
        (
            (*SEARCH, "--trials", 5, "--prune", "median", "--seeds-per-trial", 2),
            "--prune judges single runs",
        ),
        (
            (*SEARCH, "--trials", 5, "--seeds", "0,1"),
            "--seeds-per-trial N gives each trial several",
        ),
        (("--search", "tpe", "--trials", 5), "nothing to search"),
        ((*SEARCH, "--trials", 5, "-s", "data.validation=0"), "hold images out"),
        (("-g", "training.optimizer.lr={low: 0.01, high: 1.0}"), "training.optimizer.lr"),
    ],
)
def test_what_does_not_go_together_is_one_line_and_2(lenetctl, quick, options, message):
    refused = lenetctl("sweep", quick, *options)
    assert refused.code == 2
    assert message in refused.err
    assert len(refused.err.splitlines()) == 1
    assert refused.out == ""


def test_a_search_space_in_a_file_needs_a_search(lenetctl, write, quick):
    file = write(f"base: {quick}\nsearch:\n  model.dropout: [0, 0.5]\n", "study/sweep.yaml")
    file.write_text(file.read_text().replace("base: ", "base: ../"))
    refused = lenetctl("sweep", file)
    assert refused.code == 2
    assert f"{file}:3: model.dropout: is for a search: add --search tpe --trials N" in refused.err


def test_ray_is_an_extra_and_its_cluster_the_users(lenetctl, quick, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    refused = lenetctl("sweep", quick, "--executor", "ray", "-g", "training.seed=0,1")
    assert refused.code == 2
    assert refused.err.startswith("error: --executor ray: ")
    assert ("RAY_ADDRESS" if find_spec("ray") else "install lenetctl with its extra") in refused.err


@pytest.mark.parametrize("executor", ["serial", "fleet"])
def test_each_run_of_a_sweep_keeps_its_epochs(lenetctl, quick, executor):
    keep = ("--seeds", "0,1", "--keep-epochs", "--executor", executor, "-q")
    result = lenetctl("sweep", quick, *keep)
    assert result.code == 0, result.err
    for run in RunStore().all():
        assert kept_epochs(run) == [0, 1]
        kept, last = load_net(run, 1).state_dict(), load_net(run, "last").state_dict()
        assert all(torch.equal(kept[name], last[name]) for name in last)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--executor-option", "partition"), "write key=value, as in partition=gpu"),
        (("--executor-option", "=gpu"), "write key=value, as in partition=gpu"),
        (("--executor-option", "partition=gpu"), "is for --executor ray or slurm"),
        (("--executor", "slurm"), "--jobs N" if find_spec("submitit") else "its extra `slurm`"),
        (("--diagnostics", "--executor", "fleet"), "a fleet trains its nets as one"),
        (("--diagnostics", "--executor-option", "fleet=2"), "a fleet trains its nets as one"),
    ],
)
def test_what_executors_are_asked_is_checked_beforehand(lenetctl, quick, options, said):
    refused = lenetctl("sweep", quick, *options)
    assert refused.code == 2
    assert said in refused.err
    assert refused.err.count("\n") == 1
