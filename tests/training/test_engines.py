from typing import get_args

import pytest
import torch

from lenetctl.errors import UsageError
from lenetctl.specs.schema import Spec
from lenetctl.training import EngineName, engines
from lenetctl.training.engines import ENGINES, EngineChoice, choose_engine

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
LENET = [{"channels": 6, "kernel": 5, "padding": 2}, {"channels": 16, "kernel": 5}]


def spec(conv=LENET, **training):
    return Spec.model_validate({"name": "a", "model": {"conv": conv}, "training": training})


def test_the_names_are_those_of_the_table():
    assert get_args(EngineName) == tuple(ENGINES)


def no_compiler():
    raise UsageError("--engine compiled: no C++ compiler")


@pytest.mark.parametrize("images", [10, 60_000])
def test_auto_compiles_however_long_the_run(images):
    assert choose_engine("auto", spec(), images, CPU).engine == "compiled"


def test_auto_leaves_wide_convolutions_to_the_library():
    wide = [{"channels": 32, "kernel": 3}, {"channels": 64, "kernel": 3}]
    assert choose_engine("auto", spec(wide), 60_000, CPU).engine == "eager"


def test_auto_stays_eager_with_a_warning_where_nothing_can_be_compiled(monkeypatch):
    monkeypatch.setattr(engines, "compiled_library", no_compiler)
    chosen = choose_engine("auto", spec(), 60_000, CPU)
    assert chosen.engine == "eager"
    assert "no C++ compiler" in chosen.warning
    # of a short run it is not worth a word
    assert choose_engine("auto", spec(epochs=1), 1024, CPU) == EngineChoice("eager")


def test_what_is_asked_for_is_done_or_refused(monkeypatch):
    assert choose_engine("eager", spec(), 60_000, CPU).engine == "eager"
    assert choose_engine("compiled", spec(epochs=1), 10, CPU).engine == "compiled"
    with pytest.raises(UsageError, match=r"--engine compiled: .*the device is cuda"):
        choose_engine("compiled", spec(), 60_000, CUDA)
    with pytest.raises(UsageError, match=r"--engine compiled: .*precision is bf16"):
        choose_engine("compiled", spec(precision="bf16"), 60_000, CPU)
    with pytest.raises(UsageError, match=r"--engine graph: .*the device is cpu"):
        choose_engine("graph", spec(), 60_000, CPU)
    monkeypatch.setattr(engines, "compiled_library", no_compiler)
    with pytest.raises(UsageError, match="no C\\+\\+ compiler"):
        choose_engine("compiled", spec(), 60_000, CPU)


@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_auto_is_a_graph_on_cuda(precision):
    assert (
        choose_engine("auto", spec(precision=precision), 10, torch.device("cuda:1")).engine
        == "graph"
    )


def test_auto_elsewhere_is_eager():
    assert choose_engine("auto", spec(), 60_000, torch.device("mps")).engine == "eager"


def test_a_net_without_convolutions_is_eager_or_refused():
    assert choose_engine("auto", spec([], epochs=1000), 60_000, CPU) == EngineChoice("eager")
    with pytest.raises(UsageError, match="--engine compiled: there is no convolution") as error:
        choose_engine("compiled", spec([]), 60_000, CPU)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("before", ENGINES)
def test_auto_keeps_the_engine_of_a_run_that_goes_on(before):
    device = CUDA if before == "graph" else CPU
    assert choose_engine("auto", spec(epochs=1), 10, device, before).engine == before


@pytest.mark.parametrize(
    ("before", "device", "engine"),
    [("graph", CPU, "compiled"), ("compiled", CUDA, "graph"), ("fleet", CPU, "compiled")],
)
def test_auto_takes_another_engine_where_that_one_cannot_go_on(before, device, engine):
    assert choose_engine("auto", spec(epochs=1), 10, device, before) == EngineChoice(engine)


def test_auto_goes_on_eagerly_where_nothing_can_be_compiled(monkeypatch):
    monkeypatch.setattr(engines, "compiled_library", no_compiler)
    chosen = choose_engine("auto", spec(epochs=1), 10, CPU, "compiled")
    assert chosen.engine == "eager"
    assert "no C++ compiler" in chosen.warning


def test_windows_that_are_not_square_are_for_the_eager_engine():
    wide = spec([{"channels": 6, "kernel": [1, 5]}])
    assert choose_engine("auto", wide, 60_000, CPU).engine == "eager"
    with pytest.raises(UsageError, match="kernel is not square, which is not supported"):
        choose_engine("compiled", wide, 60_000, CPU)
