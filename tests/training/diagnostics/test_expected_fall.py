from itertools import pairwise

import pytest
import torch

from lenetctl.model.build import build_model
from lenetctl.specs.schema import Spec
from lenetctl.training.diagnostics.expected_fall import look_ahead


def fall(model=(), seed=0, epochs=10, **optimizer):
    training = {"epochs": epochs, "optimizer": {"kind": "sgd", "lr": 0.1, **optimizer}}
    spec = Spec.model_validate({"name": "net", "model": dict(model), "training": training})
    net = build_model(spec.model, seed)
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(50, 1, 28, 28, generator=generator)
    return look_ahead(net, spec, images, torch.arange(50) % 10, steps_per_epoch=100).fall


def test_it_is_the_square_of_the_gradient_times_rate_and_steps():
    spec = Spec(name="net")
    net = build_model(spec.model, 0)
    images = torch.rand(50, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    logits = net(images)
    torch.nn.functional.cross_entropy(logits - logits.mean(0), torch.arange(50) % 10).backward()
    square = sum((p.grad**2).sum().item() for p in net.parameters())
    assert fall() == pytest.approx(square * 0.1 * 1000, rel=1e-2)


def test_it_grows_with_the_rate_the_epochs_and_momentum():
    assert fall(lr=0.2) == pytest.approx(2 * fall(), rel=1e-2)
    assert fall(epochs=30) == pytest.approx(3 * fall(), rel=1e-2)
    assert fall(momentum=0.9) == pytest.approx(10 * fall(), rel=1e-2)
    assert fall(weight_decay=0.1) == fall()
    assert fall(kind="adam") > 0


def test_each_sigmoid_takes_most_of_it():
    depths = [fall({"dense": [64] * n}) for n in range(4)]
    for shallow, deep in pairwise(depths):
        assert deep < shallow / 5
    assert fall({"dense": [64] * 3, "activation": "tanh"}) > 1000 * depths[3]
