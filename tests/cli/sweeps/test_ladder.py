import csv
import json
from io import StringIO

import pytest

from lenetctl.cli.errors import SOME_FAILED, UNPUBLISHED
from lenetctl.runs.execute import execute

TINY = """\
data: {dataset: digits, limit: 128, batch_size: 64}
model: {conv: [{channels: 3, kernel: 5, stride: 2}], dense: [12]}
training: {epochs: 1, optimizer: {kind: sgd, lr: 0.1}}
"""
BEST = TINY.replace("dense: [12]", "dense: [14], norm: batch, init: torch")
LADDER = ("ladder", "base.yaml", "best.yaml", "--seeds", "1", "--device", "cpu")
GAINS = {"dense": 0.02, "norm": 0.05, "init": -0.01}


def truth(spec):
    """The accuracy that the stand-in gives: what each change gains, and dense and norm together."""
    made = {
        "dense": spec.model.dense == (14,),
        "norm": spec.model.norm == "batch",
        "init": spec.model.init == "torch",
    }
    gain = sum(GAINS[name] for name in made if made[name])
    return 0.7 + gain + 0.04 * (made["dense"] and made["norm"]) + 0.003 * spec.training.seed


@pytest.fixture
def trainer(monkeypatch, write):
    """Two specs, and a trainer whose results are known beforehand."""
    write(TINY, "base.yaml")
    write(BEST, "best.yaml")
    trained = []

    def stand_in(spec, options, callback, resume=None):
        run = execute(spec, options, callback, resume)
        trained.append(run.name)
        metrics = {"test/accuracy": truth(spec), "train/loss": 1.0}
        result = run.result.model_copy(update={"final": metrics, "best": {"epoch": 1} | metrics})
        run.write_record(result)
        return run

    monkeypatch.setattr("lenetctl.runs.execute.execute", stand_in)
    return trained


def test_the_plan_and_its_cost_come_first(lenetctl, trainer):
    result = lenetctl(*LADDER, "--dry-run", "--json")
    # base, +norm, +norm+dense, best; best without norm, without norm and dense
    assert result.json["counts"] == {"planned": 6}
    assert "3 changes from base to best, 6 mixtures; 6 runs, 0 of them done" in result.json["plan"]
    assert trainer == []


def test_what_each_change_gains_is_what_the_trainer_gives_for_it(lenetctl, trainer, tmp_path):
    first = lenetctl(*LADDER, "--plot", "w.png", "--json")
    assert first.code in (0, UNPUBLISHED), first.err
    found = {one["change"]: one for one in first.json["changes"]}
    means = {
        way: [pytest.approx(found[name][way]["mean"]) for name in GAINS]
        for way in ("up", "down", "mean")
    }
    # what dense and norm gain together goes to the later one, and in the mean half to each
    assert means == {
        "up": [0.06, 0.05, -0.01],
        "down": [0.02, 0.09, -0.01],
        "mean": [0.04, 0.07, -0.01],
    }
    assert first.json["difference"]["mean"] == pytest.approx(0.1)
    assert len(trainer) == 6
    assert (tmp_path / "w.png").stat().st_size > 10_000

    # the same command trains nothing, another way through the same net only what it lacks
    again = lenetctl(*LADDER, "--csv")
    lines = [*csv.DictReader(StringIO(again.out))]
    assert [line["change"] for line in lines] == [*found]
    assert float(lines[0]["mean"]) == pytest.approx(found[lines[0]["change"]]["mean"]["mean"])
    assert len(trainer) == 6
    more = lenetctl(*LADDER, "--shapley", "2", "--metric", "train/loss")
    assert "mean of 6 ways" in " ".join(more.out.split())
    assert 6 < len(trainer) <= 8  # eight mixtures are all that there are


def test_an_impossible_mixture_is_told_and_one_failure_harms_no_other(
    lenetctl, trainer, write, monkeypatch
):
    write(TINY, "base.yaml")
    write(
        TINY.replace("epochs: 1", "epochs: 1, early_stopping: {patience: 1}").replace(
            "limit: 128", "limit: 128, validation: 20"
        ),
        "best.yaml",
    )

    plan = lenetctl(*LADDER, "--dry-run", "--json").json
    (told,) = plan["impossible"]
    assert told["changes"] == ["early_stopping"]
    assert "data.validation" in told["reason"]
    assert plan["counts"] == {"planned": 3}

    def fails(spec, *rest):
        raise RuntimeError("no luck")

    monkeypatch.setattr("lenetctl.runs.execute.execute", fails)
    result = lenetctl(*LADDER)
    assert result.code == SOME_FAILED
    assert "no run of base has a result" in result.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seeds", "a"), "whole numbers from 0 on"),
        (("--csv", "--json"), "choose one"),
        (
            ("-s", "model.norm=batch", "-s", "model.dense=[1]", "-s", "model.init=torch"),
            "nothing but",
        ),
    ],
)
def test_mistakes(lenetctl, trainer, options, message):
    result = lenetctl(*LADDER, *options)
    assert result.code == 2
    assert message in result.err
    assert json.dumps(trainer) == "[]"
