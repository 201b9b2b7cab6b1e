import pytest
import torch
from helpers.equality import assert_equal, measured

from lenetctl.errors import CheckpointError
from lenetctl.training import checkpoint
from lenetctl.training.state import copy_weights, initial_state

CPU = torch.device("cpu")
SGD = {"lr": 0.1, "momentum": 0.9}
KINDS = {
    "sgd": {},
    "momentum": {"optimizer": SGD},
    "nesterov": {"optimizer": SGD | {"nesterov": True, "weight_decay": 1e-3}},
    "adam": {"optimizer": {"kind": "adam", "lr": 0.01}},
    "adamw": {"optimizer": {"kind": "adamw", "lr": 0.01, "weight_decay": 0.1}},
    "ema": {"ema": 0.9, "optimizer": SGD},
    "dropout": {"model": {"dropout": 0.3}},
    "batch norm": {"model": {"norm": "batch"}, "ema": 0.9},
    "augmentation": {"data": {"augment": [{"kind": "affine"}, {"kind": "flip"}]}},
    "one_cycle": {"schedule": {"kind": "one_cycle"}, "optimizer": SGD},
    "bf16": {"precision": "bf16", "optimizer": {"kind": "adam", "lr": 0.01}},
}


@pytest.mark.parametrize("kind", KINDS)
def test_going_on_after_any_epoch_gives_the_bits_of_an_uninterrupted_run(
    tiny, begin, run, tmp_path, kind
):
    spec = tiny(epochs=4, seed=2, **KINDS[kind])
    whole, epochs = begin(spec)
    results, best = [], []
    for result in epochs:
        results.append(result)
        best.append((whole.best_epoch, whole.best_accuracy))
        checkpoint.write_checkpoint(tmp_path / f"{result.epoch}.safetensors", whole.tensors())

    for done in range(1, 4):
        torch.manual_seed(done)  # another process has drawn other numbers
        resumed = initial_state(spec, CPU)
        resumed.restore(checkpoint.read_checkpoint(tmp_path / f"{done}.safetensors").tensors)
        resumed.epoch, (resumed.best_epoch, resumed.best_accuracy) = done, best[done - 1]
        rest = run(spec, resumed)[1]
        assert measured(rest) == measured(results[done:])
        assert [r.is_best for r in rest] == [r.is_best for r in results[done:]]
        assert_equal(resumed.tensors(), whole.tensors())


def test_every_tensor_has_a_name(tiny, run):
    state, _ = run(tiny(ema=0.9, optimizer={"kind": "adam"}, model={"norm": "batch"}))
    tensors = state.tensors()
    parameters = list(state.net.named_parameters())
    names = {f"net.{name}" for name in state.net.state_dict()}
    names |= {f"ema.{name}" for name, value in state.net.state_dict().items() if value.ndim}
    slots = ("step", "exp_avg", "exp_avg_sq")
    names |= {f"optimizer.{i}.{slot}" for i in range(len(parameters)) for slot in slots}
    assert tensors.keys() == names


def test_going_on_leaves_the_restored_tensors_alone(tiny, run):
    spec = tiny(ema=0.9, optimizer=SGD)
    given = {name: value.clone() for name, value in run(spec)[0].tensors().items()}
    kept = {name: value.clone() for name, value in given.items()}
    state = initial_state(spec, CPU)
    state.restore(given)
    run(spec, state)
    assert_equal(given, kept)


@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_a_state_from_before_the_first_epoch_is_a_state_too(tiny, run, kind):
    spec = tiny(**KINDS[kind])
    restored = initial_state(spec, CPU)
    restored.restore(initial_state(spec, CPU).tensors())
    assert measured(run(spec, restored)[1]) == measured(run(spec)[1])


def test_weights_are_the_averages_where_there_are_any(tiny, run):
    plain, _ = run(tiny())
    assert torch.equal(plain.weights()["conv1.weight"], plain.net.conv1.weight)
    averaged, _ = run(tiny(ema=0.9))
    assert torch.equal(averaged.weights()["conv1.weight"], averaged.ema["conv1.weight"])
    assert not torch.equal(averaged.ema["conv1.weight"], averaged.net.conv1.weight)


def test_weights_of_another_net_are_told_apart_by_name_and_shape(tiny):
    net = initial_state(tiny(), CPU).net
    other = initial_state(tiny(model={"dense": [13, 5], "norm": "batch"}), CPU).net
    before = net.conv1.weight.clone()
    with pytest.raises(CheckpointError) as error:
        copy_weights(net, other.state_dict())
    message = str(error.value)
    assert "dense1.weight is 13×16, expected 12×16" in message
    assert "dense2.bias is 5, expected none" in message
    assert "norm1.num_batches_tracked is scalar, expected none" in message
    assert "\n" not in message
    assert torch.equal(net.conv1.weight, before)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.pop("net.conv1.weight"),
        lambda t: t.update({"net.conv1.weight": torch.zeros(1)}),
        lambda t: t.update({"net.conv9.weight": torch.zeros(1)}),
        lambda t: t.pop("ema.conv1.bias"),
        lambda t: t.update({"ema.conv1.bias": torch.zeros(2)}),
        lambda t: t.update({"optimizer.0.momentum_buffer": torch.zeros(2)}),
        lambda t: t.update({"optimizer.0.momentum_buffer": torch.zeros(())}),
        lambda t: t.update({"optimizer.1.step": torch.zeros(3)}),
    ],
)
def test_a_state_of_another_run_is_refused(tiny, run, change):
    spec = tiny(ema=0.9, optimizer=SGD)
    tensors = run(spec)[0].tensors()
    change(tensors)
    with pytest.raises(CheckpointError):
        initial_state(spec, CPU).restore(tensors)
