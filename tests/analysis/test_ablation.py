import numpy as np
import pytest
import torch

from lenetctl.analysis.ablation import ablate_channels, channel_layers, occlude
from lenetctl.analysis.activations import InspectedNet
from lenetctl.data.dataset import load_dataset
from lenetctl.errors import UsageError
from lenetctl.specs.schema import ModelSpec, Spec


@pytest.fixture
def inspected(finished):
    return InspectedNet.trained(finished, None)


@pytest.fixture
def dataset(inspected):
    return load_dataset(inspected.spec.data)


def pixels(images):
    return (images.float() / 255)[:, None]


def with_channel_silenced(net, layer, channel, value, images):
    """The classes that the net names while a hook puts `value` in the channel's place."""

    def silence(_, __, output):
        output = output.clone()
        output[:, channel] = value
        return output

    hook = net.get_submodule(layer).register_forward_hook(silence)
    with torch.no_grad():
        named = net(images).argmax(1)
    hook.remove()
    return named


@pytest.mark.parametrize("layer", ["act1", "pool2", "dense1"])
def test_what_a_class_loses_is_what_a_hook_in_the_net_takes_away(inspected, dataset, layer):
    (found,) = ablate_channels(inspected, dataset, dataset.test, [layer])
    net, images, labels = inspected.net, pixels(dataset.test.images), dataset.test.labels
    seen = []
    hook = net.get_submodule(layer).register_forward_hook(lambda _, __, out: seen.append(out))
    with torch.no_grad():
        net(pixels(dataset.train.images))
        before = net(images).argmax(1)
    hook.remove()
    mean = seen[0].mean(0)
    assert found.lost.shape == (len(mean), 10)
    for channel in range(0, len(mean), 5):
        after = with_channel_silenced(net, layer, channel, mean[channel], images)
        for number in range(10):
            of = labels == number
            lost = ((before == labels)[of].float() - (after == labels)[of].float()).mean()
            assert found.lost[channel, number] == pytest.approx(lost.item(), abs=1e-6)
        lost = (before == labels).float().mean() - (after == labels).float().mean()
        assert found.lost_of_all[channel] == pytest.approx(lost.item(), abs=1e-6)
    assert found.lost_of_all[found.order()].tolist() == sorted(found.lost_of_all)[::-1]


def test_a_channel_that_says_the_same_of_every_image_is_worth_nothing(inspected, dataset):
    with torch.no_grad():
        inspected.net.get_submodule("conv1").weight[3] = 0
    (found,) = ablate_channels(inspected, dataset, dataset.test, ["act1"])
    assert not found.lost[3].any()
    assert found.lost.any()


def test_a_class_without_images_loses_no_number(inspected, dataset):
    ones = dataset.test.labels != 4
    split = type(dataset.test)(dataset.test.images[ones], dataset.test.labels[ones])
    (found,) = ablate_channels(inspected, dataset, split, ["act2"])
    assert np.isnan(found.lost[:, 4]).all()
    assert np.isfinite(np.delete(found.lost, 4, 1)).all()
    assert np.isfinite(found.lost_of_all).all()


def test_an_occlusion_map_is_what_each_covered_square_costs(inspected, dataset):
    images = dataset.test.images[:2].numpy()
    found = occlude(inspected, dataset, images)
    assert found.shape == (2, 28, 28)
    ground = pixels(dataset.train.images).mean(0)[0]
    for number, row, column in ((0, 0, 0), (0, 13, 14), (1, 27, 9)):
        whole = pixels(dataset.test.images[number : number + 1])
        covered = whole.clone()
        for y in range(max(0, row - 2), min(28, row + 3)):
            for x in range(max(0, column - 2), min(28, column + 3)):
                covered[0, 0, y, x] = ground[y, x]
        with torch.no_grad():
            before, after = (inspected.net(one).softmax(1)[0] for one in (whole, covered))
        fallen = before.max() - after[before.argmax()]
        assert found[number, row, column] == pytest.approx(fallen.item(), abs=1e-5)


def test_the_layers_are_those_of_the_convolutions_once_activated():
    spec = Spec(name="lenet")
    assert channel_layers(spec, None) == ["act1", "act2"]
    assert channel_layers(spec, ["conv2", "3"]) == ["conv2", "act3"]
    with pytest.raises(UsageError, match=r"--layer conv9: lenet has no such layer"):
        channel_layers(spec, ["conv9"])
    with pytest.raises(UsageError, match="dense has no convolution: name layers with --layer"):
        channel_layers(Spec(name="dense", model=ModelSpec(conv=())), None)
