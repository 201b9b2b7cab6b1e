import pytest

from lenetctl.training.fleet import key
from lenetctl.training.fleet.key import fleet_key, fleet_refusal

ADAM = {"kind": "adam", "lr": 0.01}


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 7},
        {"epochs": 9},
        {"optimizer": {"lr": 0.3, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-3}},
        {"schedule": {"kind": "one_cycle"}},
        {"label_smoothing": 0.1},
        {"clip_norm": 1.0},
        {"early_stopping": {"patience": 2}},
        {"model": {"init": "lecun", "bias_init": "torch"}},
    ],
    ids=str,
)
def test_what_may_differ_within_a_fleet(tiny, change):
    assert fleet_key(tiny(**change)) == fleet_key(tiny())


@pytest.mark.parametrize(
    "change",
    [
        {"model": {"dense": [13]}},
        {"model": {"activation": "tanh"}},
        {"model": {"norm": "batch"}},
        {"model": {"dropout": 0.1}},
        {"data": {"batch_size": 17}},
        {"data": {"augment": [{"kind": "flip"}]}},
        {"optimizer": ADAM},
        {"ema": 0.9},
        {"precision": "bf16"},
        {"deterministic": False},
    ],
    ids=str,
)
def test_what_may_not(tiny, change):
    assert fleet_key(tiny(**change)) != fleet_key(tiny())


def test_shares_may_differ_where_all_have_one(tiny):
    one, other = ({"ema": share, "model": {"dropout": share}} for share in (0.2, 0.7))
    assert fleet_key(tiny(**one)) == fleet_key(tiny(**other))
    adam, other = ({"optimizer": ADAM | {"eps": eps}} for eps in (1e-8, 1e-6))
    assert fleet_key(tiny(**adam)) == fleet_key(tiny(**other))


def test_a_kind_without_a_line_in_the_table_is_refused(tiny, monkeypatch):
    assert fleet_refusal(tiny()) == ""
    monkeypatch.setitem(key.SUPPORT, "activation", {"sigmoid"})
    assert fleet_refusal(tiny()) == "activation is relu, which is not supported"
