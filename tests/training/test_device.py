import numpy as np
import pytest
import torch

from lenetctl.errors import ResourceError, UsageError
from lenetctl.specs.schema import TrainingSpec
from lenetctl.training.device import describe_device, memory_explained, numerics, select_device

cuda = torch.backends.cuda.matmul
cudnn = torch.backends.cudnn


def settings():
    return (
        cuda.fp32_precision,
        cudnn.conv.fp32_precision,
        cudnn.benchmark,
        torch.utils.deterministic.fill_uninitialized_memory,
        torch.are_deterministic_algorithms_enabled(),
    )


def test_cpu_is_everywhere():
    assert select_device("cpu") == torch.device("cpu")


def test_auto_is_something_that_computes():
    assert (torch.ones(2, device=select_device("auto")) + 1).sum().item() == 4


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "cuda:-1", "CPU", "", "cpu:0", "meta"])
def test_an_unknown_device_is_refused_in_one_line(name):
    with pytest.raises(UsageError, match="not on this machine") as error:
        select_device(name)
    assert f"--device {name}:" in str(error.value)
    assert "here: auto, cpu" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
@pytest.mark.parametrize("name", ["cuda", "cuda:0"])
def test_cuda_is_refused_where_there_is_none(name):
    with pytest.raises(UsageError, match=name):
        select_device(name)


def test_a_device_is_described_in_words():
    assert describe_device(torch.device("cpu")).endswith(f"CPU, {torch.get_num_threads()} threads")


@pytest.mark.parametrize(
    ("precision", "expected"), [("fp32", "ieee"), ("tf32", "tf32"), ("bf16", "tf32")]
)
@pytest.mark.parametrize("deterministic", [True, False])
def test_settings_hold_within_and_are_put_back(precision, expected, deterministic):
    before = settings()
    spec = TrainingSpec(precision=precision, deterministic=deterministic)
    with numerics(spec):
        assert settings() == (expected, expected, not deterministic, False, deterministic)
    assert settings() == before


def test_settings_are_put_back_after_an_error():
    before = settings()
    with pytest.raises(ZeroDivisionError), numerics(TrainingSpec(precision="tf32")):
        raise ZeroDivisionError
    assert settings() == before


def cuda_runs_out():
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


@pytest.mark.parametrize(
    "run_out", [cuda_runs_out, lambda: torch.empty(1 << 50), lambda: np.empty(1 << 50)]
)
def test_memory_that_runs_out_has_a_remedy(run_out):
    with pytest.raises(ResourceError, match=r"try -s data\.batch_size"), memory_explained():
        run_out()


def test_no_other_error_is_taken_for_one_of_memory():
    with pytest.raises(RuntimeError, match="mat1"), memory_explained():
        torch.ones(2, 3) @ torch.ones(2, 3)


@pytest.mark.gpu
def test_cudas_memory_that_runs_out_has_a_remedy():
    with pytest.raises(ResourceError, match=r"data\.batch_size"), memory_explained():
        torch.empty(1 << 50, device="cuda")


@pytest.mark.gpu
def test_cuda_is_what_auto_means_and_has_a_name():
    assert select_device("auto") == torch.device("cuda")
    assert select_device("cuda:0").index == 0
    assert describe_device(select_device("cuda")) == torch.cuda.get_device_name()
