import math
from dataclasses import replace

import pytest
import torch
from helpers.equality import CLOCK, Waits, assert_equal, measured
from torch.nn.functional import cross_entropy

from lenetctl.data.device import DeviceSplit
from lenetctl.errors import DivergedError
from lenetctl.model.build import build_model
from lenetctl.training.evaluate import evaluate
from lenetctl.training.loop import evaluate_weights, stopped_early
from lenetctl.training.state import initial_state
from lenetctl.training.steps import eager


def test_an_epoch_is_that_of_a_textbook(tiny, dataset, run):
    spec = tiny(epochs=1, seed=3)
    net = build_model(spec.model, seed=3).to(memory_format=torch.channels_last)
    sgd = torch.optim.SGD(net.parameters(), lr=0.1)
    loss_sum = right = 0.0
    for images, labels in DeviceSplit(dataset.train, "cpu").shuffled_batches(16, seed=3, epoch=1):
        sgd.zero_grad()
        logits = net(images)
        loss = cross_entropy(logits, labels)
        loss.backward()
        sgd.step()
        loss_sum += loss.item() * len(labels)
        right += (logits.argmax(1) == labels).sum().item()

    state, (result,) = run(spec)
    assert_equal(state.net.state_dict(), net.state_dict())
    assert result.metrics["train/loss"] == pytest.approx(loss_sum / 60, rel=1e-6)
    assert result.metrics["train/accuracy"] == pytest.approx(right / 60)
    validation = evaluate(net, DeviceSplit(dataset.validation, "cpu"))
    assert result.metrics["validation/loss"] == validation.loss
    assert result.metrics["validation/accuracy"] == validation.accuracy


@pytest.mark.parametrize(
    ("held_out", "watched"),
    [(30, {"validation/loss", "validation/accuracy"}), (0, {"test/loss", "test/accuracy"})],
)
def test_metrics_name_the_split_that_is_watched(tiny, dataset, run, held_out, watched):
    data = dataset if held_out else replace(dataset, validation=None)
    _, results = run(tiny(data={"validation": held_out}), data=data)
    common = {"train/loss", "train/accuracy", "learning_rate"} | CLOCK
    assert [r.metrics.keys() for r in results] == [common | watched] * 2
    assert [r.epoch for r in results] == [1, 2]
    assert all(
        isinstance(v, float) and math.isfinite(v) for r in results for v in r.metrics.values()
    )


def test_the_rate_is_that_of_each_step(tiny, begin):
    spec = tiny(epochs=2, schedule={"kind": "cosine"})
    state, epochs = begin(spec)
    used = []
    state.optimizer.register_step_pre_hook(
        lambda optimizer, *_: used.append(optimizer.param_groups[0]["lr"])
    )
    results = list(epochs)
    assert used == pytest.approx([0.05 * (1 + math.cos(math.pi * n / 8)) for n in range(8)])
    assert [r.metrics["learning_rate"] for r in results] == [used[3], used[7]]


def test_the_same_seed_gives_the_same_bits(tiny, run):
    spec = tiny(
        seed=5,
        data={"augment": [{"kind": "flip"}, {"kind": "affine"}]},
        model={"dropout": 0.3, "norm": "batch"},
    )
    first, first_results = run(spec)
    torch.manual_seed(99)  # what others drew from the global generator changes nothing
    second, second_results = run(spec)
    assert_equal(first.tensors(), second.tensors())
    assert measured(first_results) == measured(second_results)


def test_another_seed_gives_other_weights(tiny, run):
    (one, _), (other, _) = run(tiny(seed=0)), run(tiny(seed=1))
    assert not torch.equal(one.net.conv1.weight, other.net.conv1.weight)


def test_dropout_is_drawn_anew_every_epoch(tiny, begin):
    state, epochs = begin(tiny(model={"dropout": 0.5}))
    dropped = []
    state.net.dropout1.register_forward_hook(
        lambda net, _, output: dropped.append(output == 0) if net.training else None
    )
    list(epochs)
    assert len(dropped) == 8
    assert not torch.equal(dropped[0], dropped[4])


def test_the_averages_are_those_computed_by_hand(tiny, dataset, run):
    spec = tiny(ema=0.8, epochs=1)
    by_hand = initial_state(spec, torch.device("cpu"))
    step = eager(by_hand.net, by_hand.optimizer, spec)
    averages = {name: value.clone() for name, value in by_hand.net.state_dict().items()}
    for batch in DeviceSplit(dataset.train, "cpu").shuffled_batches(16, seed=0, epoch=1):
        step(*batch)
        for name, value in by_hand.net.state_dict().items():
            averages[name] = 0.8 * averages[name] + 0.2 * value

    state, (result,) = run(spec)
    assert_equal(state.net.state_dict(), by_hand.net.state_dict())  # which go on without them
    for name, value in averages.items():
        torch.testing.assert_close(state.ema[name], value)
    by_hand.net.load_state_dict(state.ema)
    served = evaluate(by_hand.net, DeviceSplit(dataset.validation, "cpu"))
    assert result.metrics["validation/loss"] == served.loss


def test_averages_take_in_the_statistics_of_batch_norm(tiny, run):
    state, _ = run(tiny(ema=0.5, model={"norm": "batch"}))
    assert "norm1.running_mean" in state.ema
    assert state.weights()["norm1.num_batches_tracked"] == 8
    assert torch.equal(state.weights()["norm1.running_var"], state.ema["norm1.running_var"])


def test_the_first_of_equally_good_epochs_is_the_best(tiny, run):
    # a net that learns nothing: every epoch measures the same
    state, results = run(tiny(epochs=3, optimizer={"lr": 1e-30}))
    assert [r.is_best for r in results] == [True, False, False]
    assert state.best_epoch == 1
    assert state.best_accuracy == results[0].metrics["validation/accuracy"]


@pytest.mark.parametrize("patience", [1, 2, 3])
def test_patience_counts_epochs_without_a_better_one(tiny, run, patience):
    spec = tiny(epochs=9, early_stopping={"patience": patience}, optimizer={"lr": 1e-30})
    state, results = run(spec)
    assert [r.epoch for r in results] == list(range(1, patience + 2))
    assert stopped_early(state, spec)
    assert run(spec, state)[1] == []  # a run that had stopped does not begin again


def test_patience_begins_anew_with_a_better_epoch(tiny):
    spec = tiny(epochs=9, early_stopping={"patience": 2})
    state = initial_state(spec, torch.device("cpu"))
    stops = []
    for state.epoch, state.best_epoch in [(0, 0), (2, 1), (3, 1), (3, 3), (4, 3), (5, 3)]:
        stops.append(stopped_early(state, spec))
    assert stops == [False, False, True, False, False, True]


def test_a_loss_that_is_no_number_ends_it(tiny, begin):
    state, epochs = begin(tiny(epochs=5, optimizer={"lr": 1e30}))
    with pytest.raises(DivergedError, match="in epoch 1"):
        list(epochs)
    assert state.epoch == 0


def test_weights_that_the_last_step_ruined_are_noticed_at_once(tiny, begin):
    # one step an epoch: the training loss is measured before it, and still finite
    spec = tiny(epochs=1, data={"batch_size": 60}, optimizer={"lr": 1e30})
    with pytest.raises(DivergedError, match=r"validation loss became (nan|inf) in epoch 1"):
        list(begin(spec)[1])


@pytest.mark.parametrize("batch_size", [60, 5])
def test_no_waiting_within_an_epoch(tiny, begin, monkeypatch, batch_size):
    spec = tiny(epochs=1, ema=0.9, data={"batch_size": batch_size, "augment": [{"kind": "shift"}]})
    _, epochs = begin(spec)
    called = []
    for name in ("cpu", "tolist", "numpy"):
        own = getattr(torch.Tensor, name)
        monkeypatch.setattr(
            torch.Tensor, name, lambda *args, name=name, own=own: called.append(name) or own(*args)
        )
    with Waits() as waits:
        next(epochs)
    # the meter's end, then loss and confusion of the evaluation, however many steps there were
    assert called == ["cpu", "tolist", "cpu", "numpy"]
    assert waits.count == 1


def test_progress_counts_steps_and_shows_the_means_so_far(tiny, run, monkeypatch):
    monkeypatch.setattr("lenetctl.training.meter.INTERVAL", 0.0)
    seen = []
    _, results = run(tiny(), on_progress=seen.append)
    assert [(p.epoch, p.step, p.steps) for p in seen] == [
        (e, s, 4) for e in (1, 2) for s in (1, 2, 3, 4)
    ]
    assert seen[-1].loss == results[-1].metrics["train/loss"]
    assert seen[-1].accuracy == results[-1].metrics["train/accuracy"]


def test_watching_changes_nothing(tiny, run, monkeypatch):
    monkeypatch.setattr("lenetctl.training.meter.INTERVAL", 0.0)
    quiet, watched = run(tiny())[0], run(tiny(), on_progress=lambda _: None)[0]
    assert_equal(watched.tensors(), quiet.tensors())


def test_weights_lent_for_an_evaluation_are_given_back(tiny, dataset):
    spec = tiny(model={"norm": "batch"})
    state = initial_state(spec, torch.device("cpu"))
    split = DeviceSplit(dataset.test, "cpu")
    before = {name: value.clone() for name, value in state.net.state_dict().items()}
    other = build_model(spec.model, seed=1)
    lent = evaluate_weights(state, other.state_dict(), split)
    assert lent.loss == pytest.approx(evaluate(other, split).loss)
    assert_equal(state.net.state_dict(), before)
