"""What `numerics` promises of a whole run on CUDA."""

import pytest
import torch
from helpers.equality import assert_equal, measured

from lenetctl.training.device import numerics


@pytest.mark.gpu
def test_cuda_comes_close_to_the_cpu(tiny, run):
    spec = tiny(epochs=3)
    with numerics(spec.training):
        (cpu, on_cpu), (cuda, on_cuda) = run(spec), run(spec, device="cuda")
    for one, other in zip(measured(on_cpu), measured(on_cuda), strict=True):
        assert other == pytest.approx(one, rel=1e-4)
    for name, value in cpu.net.state_dict().items():
        torch.testing.assert_close(cuda.net.state_dict()[name].cpu(), value, rtol=1e-3, atol=1e-4)


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_cuda_gives_the_same_bits_twice(tiny, run, precision):
    spec = tiny(
        precision=precision,
        ema=0.9,
        data={"augment": [{"kind": "affine"}, {"kind": "erase"}]},
        model={"dropout": 0.2, "norm": "batch", "pool": {"kind": "max", "size": 3}},
    )
    with numerics(spec.training):
        (first, first_results), (second, second_results) = (run(spec, device="cuda") for _ in "ab")
    assert_equal(first.tensors(), second.tensors())
    assert measured(first_results) == measured(second_results)
