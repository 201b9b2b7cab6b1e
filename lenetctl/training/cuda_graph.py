"""A training step on a CUDA device as one graph: its kernels are launched together.

Source: PyTorch's notes on CUDA semantics, "CUDA Graphs".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lenetctl.specs.schema import Spec
from lenetctl.training.support import ELEMENTWISE, Support, unsupported

Tensors = tuple[Tensor, ...]
Function = Callable[..., Tensors]

WARM_UP = 3  # calls in which libraries set themselves up and optimizers make their state

# none of these waits for the device
SUPPORT: Support = {
    "layer": {"conv", "norm", "activation", "pool", "flatten", "dropout", "dense"},
    "kernel": {"square", "not square"},
    "padding_value": {"0"},
    "unit_bias": {"false"},
    "connections": {"complete"},
    "norm": {"batch"},
    "activation": ELEMENTWISE,
    "pool.kind": {"avg", "max"},
    "optimizer.kind": {"sgd", "adam", "adamw"},
    "loss": {"cross_entropy"},
    "devices": {"1"},
    "precision": {"fp32", "tf32", "bf16"},
}


def graph_refusal(spec: Spec, device: torch.device) -> str:
    """Return why a step of `spec` on `device` cannot be captured, or nothing."""
    if device.type != "cuda":
        return f"its graphs are CUDA's, the device is {device}"
    return unsupported(spec, SUPPORT)


class GraphedFunction:
    """A function of tensors on one CUDA device that is captured once for each set of shapes.

    The first calls with new shapes run the function itself, on a stream as a capture does; they do
    real work, so nothing has to be undone. The next call overwrites what a call returned.
    """

    def __init__(self, function: Function) -> None:
        """Take a function that never waits for the device; all that varies are its arguments."""
        self._function = function
        self._calls: Counter[tuple[torch.Size, ...]] = Counter()
        self._captured: dict[tuple[torch.Size, ...], CapturedGraph] = {}

    def __call__(self, *inputs: Tensor) -> Tensors:
        """Return the function of `inputs`, all on one device."""
        shapes = tuple(value.shape for value in inputs)
        self._calls[shapes] += 1
        if self._calls[shapes] <= WARM_UP:
            return warmed_up(self._function, inputs)
        if shapes not in self._captured:
            self._captured[shapes] = capture(self._function, inputs)
        return self._captured[shapes](*inputs)


@dataclass(frozen=True, eq=False)
class CapturedGraph:
    """A captured function: where it reads, how it is run, where it writes."""

    inputs: Tensors
    replay: Callable[[], None]
    outputs: Tensors

    def __call__(self, *inputs: Tensor) -> Tensors:
        """Return the outputs for `inputs`."""
        for own, value in zip(self.inputs, inputs, strict=True):
            own.copy_(value, non_blocking=True)
        self.replay()
        return self.outputs


def warmed_up(function: Function, inputs: Tensors) -> Tensors:
    """Return `function` of `inputs`, run on a stream beside the current one."""
    current = torch.cuda.current_stream()
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(current)
    with torch.cuda.stream(side):
        outputs = function(*inputs)
    current.wait_stream(side)
    return outputs


def capture(function: Function, inputs: Tensors) -> CapturedGraph:
    """Capture `function` for inputs of these shapes; nothing of it runs meanwhile."""
    own = tuple(value.clone() for value in inputs)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        outputs = function(*own)
    return CapturedGraph(own, graph.replay, outputs)


def capturable(optimizer: torch.optim.Optimizer) -> Tensor:
    """Change `optimizer` so that its step can be captured; return its learning rate.

    The rate is a scalar on the device, to be filled before each step. A step is one fused kernel
    then, and the number of steps is kept on the device.
    """
    (group,) = optimizer.param_groups
    device = group["params"][0].device
    rate = torch.tensor(group["lr"], dtype=torch.float32, device=device)
    options: dict[str, Any] = {"lr": rate, "fused": True, "foreach": False}
    group.update(options | ({"capturable": True} if "capturable" in group else {}))
    for slots in optimizer.state.values():  # of a resumed run
        if "step" in slots:
            slots["step"] = slots["step"].to(device)
    return rate
