import numpy as np
import pytest
from helpers.pictures import write_classes
from PIL import Image

from lenetctl.analysis.activations import (
    InspectedNet,
    Prediction,
    choose_inputs,
    compute_activations,
)
from lenetctl.data.dataset import load_dataset
from lenetctl.errors import UsageError
from lenetctl.specs.schema import DataSpec, Spec


@pytest.fixture
def paper(tmp_path):
    """A data set of dark strokes on light paper, and the picture that is its only test image."""
    pixels = np.full((60, 30), 235, np.uint8)
    pixels[10:50, 12:18] = 20
    for split in ("train", "test"):
        path = tmp_path / "paper" / split / "one" / "x.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(pixels).save(path)
    return load_dataset(DataSpec(dataset="folder", folder="paper"), tmp_path), path


def test_a_picture_is_the_image_that_it_is_in_the_data_set(paper):
    dataset, path = paper
    inputs = choose_inputs(dataset, ["one"], 1, [path])
    assert inputs.labels == ["one", "x.png"]
    np.testing.assert_array_equal(*inputs.images)
    assert inputs.images[0, 0, 0] == 235


def test_the_same_picture_is_inverted_and_padded_for_published_data(paper, tmp_path):
    digits = load_dataset(DataSpec(dataset="digits"), tmp_path)
    (image,) = choose_inputs(digits, [], 1, [paper[1]]).images
    assert (image[0] == 20).all()
    assert image.max() > 200
    assert (image[14, :7] == 20).all()


def test_an_unreadable_picture_is_a_wrong_argument(paper, tmp_path):
    with pytest.raises(UsageError, match=r"none\.png: not a readable picture \(No such file"):
        choose_inputs(paper[0], None, 1, [tmp_path / "none.png"])


def test_layers_come_as_asked_and_a_dense_one_is_drawn_as_a_strip(tmp_path):
    digits = load_dataset(DataSpec(dataset="digits"), tmp_path)
    inputs = choose_inputs(digits, ["7", "8"], 1, [])
    net = InspectedNet.untrained(Spec(name="lenet"))
    found = compute_activations(net, digits, inputs, ["dense1", "act1"])
    assert list(found.layers) == ["dense1", "act1"]
    dense, maps = found.maps()
    assert (dense.shape, maps.shape) == ((2, 1, 1, 120), (2, 6, 28, 28))
    np.testing.assert_array_equal(dense[:, 0, 0], found.layers["dense1"])
    assert [prediction.label for prediction in found.predictions] == ["7", "8"]


def test_an_output_without_a_class_is_not_taken_for_a_class_of_that_name(tmp_path):
    write_classes(tmp_path / "two", "38", count=1)
    dataset = load_dataset(DataSpec(dataset="folder", folder="two"), tmp_path)
    net = InspectedNet.untrained(Spec(name="lenet"))
    assert [net.class_name(output, dataset) for output in (0, 1, 3)] == ["3", "8", "output 3"]


def test_a_net_names_what_it_was_trained_on(finished, tmp_path):
    write_classes(tmp_path / "two", ("three", "eight"), count=1)
    dataset = load_dataset(DataSpec(dataset="folder", folder="two"), tmp_path)
    assert InspectedNet.trained(finished, None).class_name(3, dataset) == "3"


def test_a_prediction_in_words():
    assert str(Prediction("coat", "pullover", 0.6249)) == "coat → pullover 0.62"
