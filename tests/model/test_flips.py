import torch
from torch import nn

from lenetctl.model.flips import FlipAverage


def test_an_image_and_its_mirror_image_get_the_same_probabilities_which_add_up_to_one():
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 3))
    images = torch.rand(4, 1, 3, 4)
    found = FlipAverage(net)(images)
    assert found.shape == (4, 3)
    torch.testing.assert_close(found.exp().sum(1), torch.ones(4))
    torch.testing.assert_close(found, FlipAverage(net)(images.flip(3)))
    mean = (net(images).softmax(1) + net(images.flip(3)).softmax(1)) / 2
    torch.testing.assert_close(found.exp(), mean)
