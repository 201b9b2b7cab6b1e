"""The layers of LeCun et al. (1998), against plain formulas."""

import pytest
import torch
from torch.nn.functional import conv2d, pad

from lenetctl.model.build import build_model
from lenetctl.specs.schema import Conv, ModelSpec, Pool

TABLE = ((0, 2), (1,), (0, 1, 2))
PARTIAL = Conv(channels=3, kernel=5, connections=TABLE)


def partial(**values):
    model = ModelSpec(conv=(Conv(channels=3, kernel=5), PARTIAL), dense=(6,), **values)
    return build_model(model, seed=1).conv2


def test_a_partial_convolution_adds_up_the_channels_of_its_table():
    conv, x = partial(bias_init="torch"), torch.rand(2, 3, 12, 12)
    found, kernels = conv(x), iter(conv.weight)
    for output, read in enumerate(TABLE):
        sums = sum(conv2d(x[:, [i]], next(kernels).unsqueeze(0)) for i in read)
        expected = sums + conv.bias[output]
        torch.testing.assert_close(found[:, [output]], expected)
    assert conv.weight.shape == (6, 1, 5, 5)


def test_kernels_are_complete_with_zeros_where_nothing_is_connected():
    conv = partial()
    used = torch.zeros(3, 3, dtype=torch.bool)
    for output, read in enumerate(TABLE):
        used[output, list(read)] = True
    assert conv.kernels()[used].equal(conv.weight[:, 0])
    assert not conv.kernels()[~used].any()


@pytest.mark.parametrize(("output", "fan_in"), [(0, 50), (1, 25), (2, 75)])
def test_weights_of_a_partial_convolution_go_by_what_each_output_reads(output, fan_in):
    start = sum(map(len, TABLE[:output]))
    own = partial(init="fan_in_uniform").weight[start : start + len(TABLE[output])]
    bound = 2.4 / fan_in
    assert 0.8 * bound < own.abs().max() <= bound


def test_padding_has_its_value():
    model = ModelSpec(conv=(Conv(channels=4, kernel=5, padding=2, padding_value=-0.1),))
    conv, x = build_model(model, seed=0).conv1, torch.rand(2, 1, 28, 28)
    expected = conv2d(pad(x, (2, 2, 2, 2), value=-0.1), conv.weight, conv.bias)
    torch.testing.assert_close(conv(x), expected)


def test_subsampling_is_the_sum_of_the_window_times_a_weight_plus_a_bias():
    model = ModelSpec(pool=Pool(kind="subsample"))
    pool, x = build_model(model, seed=0).pool1, torch.rand(2, 6, 28, 28)
    torch.nn.init.uniform_(pool.bias)
    sums = x.view(2, 6, 14, 2, 14, 2).sum((3, 5))
    torch.testing.assert_close(pool(x), sums * pool.weight.view(6, 1, 1) + pool.bias.view(6, 1, 1))
    assert isinstance(build_model(model, seed=0).pool1_act, torch.nn.Sigmoid)


def test_subsampling_begins_as_a_window_of_weights_that_are_one():
    model = ModelSpec(
        pool=Pool(kind="subsample"), init="fan_in_uniform", conv=(Conv(channels=999, kernel=5),)
    )
    weight = build_model(model, seed=0).pool1.weight.detach()
    assert 0.59 < weight.abs().max() <= 0.6  # 2.4 / (2·2)
    weight = build_model(model.model_copy(update={"init": "torch"}), seed=0).pool1.weight
    assert 0.49 < weight.abs().max() <= 0.5  # that of a torch.nn.Conv2d of 2×2


def test_an_rbf_output_is_minus_the_squared_distance_to_each_code():
    codes = tuple(f"{n:04b}".replace("0", ".").replace("1", "#") for n in range(10))
    net = build_model(ModelSpec(dense=(4,), output_codes=codes), seed=0)
    x = torch.tensor([[0.5, -1.0, 2.0, 0.0]])
    found = net.output(x)
    assert found[0, 0].item() == pytest.approx(-(1.5**2 + 0 + 3**2 + 1))  # ....
    assert found[0, 9].item() == pytest.approx(-(0.5**2 + 0 + 3**2 + 1))  # #..#
    assert not list(net.output.parameters())


def test_a_bias_of_each_unit_is_added_at_its_place():
    model = ModelSpec(conv=(Conv(channels=4, kernel=5, unit_bias=True),), bias_init="torch")
    conv, x = build_model(model, seed=0).conv1, torch.rand(2, 1, 28, 28)
    torch.nn.init.normal_(conv.bias)
    assert conv.bias.shape == (4, 24, 24)
    torch.testing.assert_close(conv(x), conv2d(x, conv.weight) + conv.bias)


@pytest.mark.parametrize("side", [16, 28, 32])
def test_images_are_resized_by_a_matrix_from_both_sides(side):
    resize, x = build_model(ModelSpec(input_side=side), seed=0).resize, torch.rand(2, 1, 28, 28)
    matrix = resize.matrix(28)
    torch.testing.assert_close(resize(x), matrix @ x @ matrix.T)
    torch.testing.assert_close(matrix.sum(1), torch.ones(side))  # a mean keeps grey grey
