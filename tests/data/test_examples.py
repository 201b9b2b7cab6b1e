import numpy as np
import torch

from lenetctl.data.dataset import load_dataset
from lenetctl.data.examples import training_examples
from lenetctl.specs.schema import Spec

DIGITS = {"dataset": "digits", "normalize": "standard"}


def shown(**data):
    spec = Spec.model_validate({"name": "digits", "data": {**DIGITS, **data}})
    dataset = load_dataset(spec.data)
    return dataset, training_examples(dataset, spec, per_class=2)


def test_they_are_the_first_of_each_class_normalised():
    dataset, found = shown()
    assert found.classes == list(dataset.classes)
    assert found.columns == ["1", "2"]
    assert found.images.shape == (10, 2, 28, 28)
    second = dataset.train.images[torch.nonzero(dataset.train.labels == 7)[1, 0]]
    expected = (second.numpy() / 255 - dataset.mean) / dataset.std
    np.testing.assert_allclose(found.images[7, 1], expected, rtol=1e-5, atol=1e-5)


def test_augmentation_is_drawn_three_times_over():
    _, plain = shown()
    _, found = shown(augment=[{"kind": "shift", "pixels": 3}])
    assert found.columns[:5] == ["1", "1 drawn 1", "1 drawn 2", "1 drawn 3", "2"]
    np.testing.assert_array_equal(found.images[:, [0, 4]], plain.images)
    draws = found.images[0, :4]
    assert not any(np.array_equal(draws[0], one) for one in draws[1:])
    assert not np.array_equal(draws[1], draws[2])
    np.testing.assert_array_equal(
        shown(augment=[{"kind": "shift", "pixels": 3}])[1].images, found.images
    )


def test_a_class_with_few_images_repeats_them():
    _, found = shown(limit=12)
    assert found.images.shape[1] == 2
    assert len(found.classes) <= 10
