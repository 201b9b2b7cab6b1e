import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss
from torch import nn

from lenetctl.data.dataset import Split
from lenetctl.data.device import DeviceSplit
from lenetctl.model.build import build_model
from lenetctl.specs.schema import ModelSpec
from lenetctl.training.evaluate import BATCH, Evaluation, evaluate


@pytest.fixture(scope="module")
def split():
    """More images than two batches hold."""
    generator = torch.Generator().manual_seed(8)
    images = torch.randint(0, 256, (2 * BATCH + 37, 28, 28), generator=generator)
    labels = torch.randint(0, 10, (len(images),), generator=generator)
    return DeviceSplit(Split(images.to(torch.uint8), labels), "cpu")


@pytest.fixture
def net():
    """Spreads its guesses: wide weights, whose saturated features differ between images."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.BatchNorm1d(10))


def test_it_measures_what_sklearn_measures(net, split):
    with torch.no_grad():
        logits = net.eval()(split.all_images())
    labels = split.labels.numpy()
    found = evaluate(net, split)
    guesses = logits.argmax(1).numpy()
    assert len(set(guesses)) > 3
    expected = confusion_matrix(labels, guesses, labels=range(10))
    np.testing.assert_array_equal(found.confusion, expected)
    assert found.accuracy == accuracy_score(labels, guesses)
    probabilities = logits.double().softmax(1).numpy()
    assert found.loss == pytest.approx(log_loss(labels, probabilities, labels=range(10)), rel=1e-5)
    assert found.confusion.sum() == len(split)


def test_rows_are_the_truth_and_columns_the_prediction(split):
    class Seven(nn.Module):
        def forward(self, images):
            return nn.functional.one_hot(torch.full((len(images),), 7), 10).float()

    confusion = evaluate(Seven(), split).confusion
    counts = np.bincount(split.labels.numpy(), minlength=10)
    np.testing.assert_array_equal(confusion[:, 7], counts)
    assert confusion.sum() == confusion[:, 7].sum()


def test_accuracy_is_the_diagonals_share():
    confusion = np.diag([3] * 10)
    confusion[0, 1] = 10
    assert Evaluation(0.0, confusion).accuracy == 0.75


def test_its_metrics_have_the_names_of_the_split():
    found = Evaluation(0.5, np.diag([3] * 10))
    assert found.metrics("validation") == {"validation/loss": 0.5, "validation/accuracy": 1.0}


@pytest.mark.parametrize("training", [True, False])
def test_the_net_is_left_as_it_was(net, split, training):
    net.train(training)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    evaluate(net, split)
    assert net.training is training
    assert net[2].training is training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())


def test_dropout_is_off_and_nothing_is_drawn(split):
    net = build_model(ModelSpec(dropout=0.5), seed=0).train()
    before = torch.get_rng_state()
    first, second = evaluate(net, split), evaluate(net, split)
    assert first.loss == second.loss
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.gpu
def test_cuda_measures_the_same(split):
    net = build_model(ModelSpec(activation="relu"), seed=0)
    on_cpu = evaluate(net, split)
    images, labels = split.pixels[:, 0], split.labels
    on_cuda = evaluate(net.to("cuda"), DeviceSplit(Split(images, labels), "cuda"))
    assert on_cuda.loss == pytest.approx(on_cpu.loss, rel=1e-4)
    assert abs(on_cuda.confusion - on_cpu.confusion).sum() <= 0.01 * len(labels)
